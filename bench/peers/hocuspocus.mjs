// Hocuspocus with its SQLite extension, as its guide sets it up. PORT, DATA (a folder).
import { join } from "node:path";
import { SQLite } from "@hocuspocus/extension-sqlite";
import { Server } from "@hocuspocus/server";

const server = new Server({
  port: Number(process.env.PORT),
  address: "127.0.0.1",
  quiet: true,
  extensions: [new SQLite({ database: join(process.env.DATA, "documents.sqlite") })],
});
await server.listen();
