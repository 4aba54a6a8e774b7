import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CollabHost, freePort } from "./CollabHost";
import { Postgres } from "./Postgres";

/** A real Redis and a real Postgres on loopback, for nodes of one service. */
export class SharedStore {
  readonly #folder = mkdtempSync(join(tmpdir(), "collab-store-"));
  readonly #redis: ChildProcess;

  private constructor(
    private readonly redisPort: number,
    private readonly postgres: Postgres,
  ) {
    this.#redis = spawn("redis-server", ["--port", `${redisPort}`, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"], { cwd: this.#folder, stdio: "ignore" });
  }

  static async start(): Promise<SharedStore> {
    return new SharedStore(await freePort(), await Postgres.start());
  }

  /** Starts one more node. It ends with its own dispose. */
  startNode(): Promise<CollabHost> {
    return CollabHost.start({
      settings: { "ConnectionStrings:Redis": `127.0.0.1:${this.redisPort}`, "ConnectionStrings:Postgres": this.postgres.connectionString },
    });
  }

  async dispose(): Promise<void> {
    const ended = new Promise((resolve) => this.#redis.once("exit", resolve));
    this.#redis.kill("SIGKILL");
    await ended;
    await this.postgres.dispose();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
