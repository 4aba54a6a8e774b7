// socket.io as its guide sets it up, one room per channel, in memory, no history. PORT.
import { createServer } from "node:http";
import { Server } from "socket.io";

const server = createServer((_, response) => response.end());
const io = new Server(server);

io.on("connection", (socket) => {
  const { channel } = socket.handshake.auth;
  if (channel) socket.join(channel);
  socket.on("publish", (to, event, data, acknowledge) => {
    io.to(to).emit(event, data);
    acknowledge();
  });
});

server.listen(Number(process.env.PORT), "127.0.0.1");
