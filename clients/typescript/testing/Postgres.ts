import { execFileSync, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { freePort } from "./CollabHost";

const PROGRAMS = join("/usr/lib/postgresql", readdirSync("/usr/lib/postgresql").sort().at(-1)!, "bin");

/** A real Postgres on loopback with a cluster of its own, from Debian's package. */
export class Postgres {
  readonly #folder = mkdtempSync(join(tmpdir(), "collab-postgres-"));
  #port = 0;
  #process: ChildProcess | undefined;

  private constructor() {}

  /** @param settings Such as `wal_level=logical`. */
  static async start(...settings: string[]): Promise<Postgres> {
    const postgres = new Postgres();
    await postgres.#start(settings);
    return postgres;
  }

  /** For `ConnectionStrings:Postgres`. */
  get connectionString(): string {
    return `Host=127.0.0.1;Port=${this.#port};Username=postgres;Database=postgres`;
  }

  /** Runs SQL, as somebody does who uses `psql`. */
  run(sql: string): void {
    execFileSync(join(PROGRAMS, "psql"), ["-h", "127.0.0.1", "-p", `${this.#port}`, "-U", "postgres", "-v", "ON_ERROR_STOP=1", "-qc", sql], { stdio: "ignore" });
  }

  async dispose(): Promise<void> {
    const process = this.#process!;
    const ended = new Promise((resolve) => process.once("exit", resolve));
    process.kill("SIGQUIT");
    await ended;
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #start(settings: readonly string[]): Promise<void> {
    this.#port = await freePort();
    const data = join(this.#folder, "data");
    if (process.getuid?.() === 0) execFileSync("chown", ["postgres", this.#folder]);
    const [initdb, ...how] = asOwner("initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale", "C.UTF-8");
    execFileSync(initdb!, how, { cwd: "/tmp", stdio: "ignore" });
    const [program, ...rest] = asOwner(
      "postgres",
      "-D",
      data,
      "-p",
      `${this.#port}`,
      ...["listen_addresses=127.0.0.1", `unix_socket_directories=${this.#folder}`, ...settings].flatMap((setting) => ["-c", setting]),
    );
    this.#process = spawn(program!, rest, { cwd: "/tmp", stdio: "ignore" });
    while (!this.#isReady()) await wait(50);
  }

  #isReady(): boolean {
    try {
      execFileSync(join(PROGRAMS, "pg_isready"), ["-h", "127.0.0.1", "-p", `${this.#port}`, "-q"]);
      return true;
    } catch {
      return false;
    }
  }
}

/** A command line of Postgres, which refuses to run as root. */
function asOwner(program: string, ...settings: string[]): string[] {
  const command = [join(PROGRAMS, program), ...settings];
  return process.getuid?.() === 0 ? ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--clear-groups", "--", ...command] : command;
}
