import { execFileSync, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { CollabHost, freePort } from "./CollabHost";

/** A real Redis and a real Postgres on loopback, for nodes of one service. */
export class SharedStore {
  readonly #folder = mkdtempSync(join(tmpdir(), "collab-store-"));
  readonly #programs = join("/usr/lib/postgresql", readdirSync("/usr/lib/postgresql").sort().at(-1)!, "bin");
  readonly #processes: ChildProcess[] = [];
  #settings: Record<string, string> = {};

  private constructor() {}

  static async start(): Promise<SharedStore> {
    const store = new SharedStore();
    await store.#start();
    return store;
  }

  /** Starts one more node. It ends with its own dispose. */
  startNode(): Promise<CollabHost> {
    return CollabHost.start({ settings: this.#settings });
  }

  async dispose(): Promise<void> {
    for (const process of this.#processes) {
      const ended = new Promise((resolve) => process.once("exit", resolve));
      process.kill("SIGQUIT");
      await ended;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #start(): Promise<void> {
    const [redis, postgres, data] = [await freePort(), await freePort(), join(this.#folder, "data")];
    this.#processes.push(spawn("redis-server", ["--port", `${redis}`, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"], { cwd: this.#folder, stdio: "ignore" }));
    if (process.getuid?.() === 0) execFileSync("chown", ["postgres", this.#folder]);
    const [initdb, ...settings] = this.#asOwner("initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale", "C.UTF-8");
    execFileSync(initdb!, settings, { cwd: "/tmp", stdio: "ignore" });
    const [program, ...rest] = this.#asOwner(
      "postgres", "-D", data, "-p", `${postgres}`, "-c", "listen_addresses=127.0.0.1", "-c", `unix_socket_directories=${this.#folder}`);
    this.#processes.push(spawn(program!, rest, { cwd: "/tmp", stdio: "ignore" }));
    while (!this.#isReady(postgres)) await wait(50);
    this.#settings = {
      "ConnectionStrings:Redis": `127.0.0.1:${redis}`,
      "ConnectionStrings:Postgres": `Host=127.0.0.1;Port=${postgres};Username=postgres;Database=postgres`,
    };
  }

  #isReady(port: number): boolean {
    try {
      execFileSync(join(this.#programs, "pg_isready"), ["-h", "127.0.0.1", "-p", `${port}`, "-q"]);
      return true;
    } catch {
      return false;
    }
  }

  /** A command line of Postgres, which refuses to run as root. */
  #asOwner(program: string, ...settings: string[]): string[] {
    const command = [join(this.#programs, program), ...settings];
    return process.getuid?.() === 0 ? ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--clear-groups", "--", ...command] : command;
  }
}
