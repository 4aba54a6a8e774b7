import { connect, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";

/** A way to a server that can be cut: it hands TCP bytes on until told otherwise. */
export class FaultyNetwork {
  readonly #server = createServer((socket) => this.#accept(socket));
  readonly #targetPort: number;
  readonly #sockets = new Set<Socket>();
  readonly #upstreams = new Set<Socket>();
  readonly #abandoned = new WeakSet<Socket>();
  #isCut = false;
  /** Whether connections that ask for WebSockets are cut, as some proxies do. */
  blocksWebSockets = false;
  /** The heads of the requests that came by. */
  readonly requests: string[] = [];
  /** How many bytes went to the client. */
  bytesReceived = 0;

  private constructor(targetPort: number) {
    this.#targetPort = targetPort;
  }

  static async to(targetPort: number): Promise<FaultyNetwork> {
    const network = new FaultyNetwork(targetPort);
    await new Promise<void>((resolve) => network.#server.listen(0, "127.0.0.1", resolve));
    return network;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The addresses that were asked for, with their queries. */
  get addresses(): string[] {
    return this.requests.map((head) => head.split(" ", 2)[1]!);
  }

  get hubUrl(): string {
    return `${this.url}/hubs/collab`;
  }

  /** How many connections the server has through here. */
  get serverConnections(): number {
    return this.#upstreams.size;
  }

  /** Ends every connection at once, and each new one, until {@link restore}. */
  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  restore(): void {
    this.#isCut = false;
  }

  /** Ends every connection at the client's end alone: the server goes on waiting, as when a radio link dies. */
  abandon(): void {
    for (const upstream of this.#upstreams) this.#abandoned.add(upstream);
    for (const socket of this.#sockets) if (!this.#abandoned.has(socket)) socket.destroy();
  }

  /** Lets nothing more through to the client, without ending a connection, until {@link flow}. */
  stall(): void {
    for (const upstream of this.#upstreams) upstream.pause();
  }

  flow(): void {
    for (const upstream of this.#upstreams) upstream.resume();
  }

  async dispose(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #accept(client: Socket): void {
    if (this.#isCut) return void client.destroy();
    const upstream = connect(this.#targetPort, "127.0.0.1");
    this.#upstreams.add(upstream);
    upstream.on("close", () => this.#upstreams.delete(upstream));
    for (const socket of [client, upstream]) {
      const other = socket === client ? upstream : client;
      this.#sockets.add(socket);
      socket.on("error", () => socket.destroy());
      socket.on("close", () => {
        this.#sockets.delete(socket);
        if (socket === upstream || !this.#abandoned.has(upstream)) other.destroy();
      });
    }
    client.on("data", (data) => {
      for (const [head] of data.toString("latin1").matchAll(/^[A-Z]+ \S+ HTTP\/1\.1\r\n(?:[^\r\n]+\r\n)*/gm)) this.requests.push(head);
      if (this.blocksWebSockets && /^upgrade: *websocket/im.test(data.toString("latin1"))) return void client.destroy();
      upstream.write(data);
    });
    upstream.on("data", (data) => {
      this.bytesReceived += data.length;
      client.write(data);
    });
  }
}
