// @y/websocket-server as its package starts it: rooms in memory, no storage. PORT.
process.env.HOST = "127.0.0.1";
await import("@y/websocket-server/server");
