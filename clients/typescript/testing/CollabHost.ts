import { execFileSync, spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import type { ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const REPOSITORY = join(dirname(fileURLToPath(import.meta.url)), "../../..");
const PROJECT = join(REPOSITORY, "src/Collab.Host");

/** Whose tokens the servers trust: those of {@link tokenOf}. */
const ISSUER = "collab-tests";
const AUDIENCE = "collab";
/** A key for tests alone. It is the same in every process: the tests do not run in the one that starts the server they share. */
const KEY = Buffer.alloc(32, "a key for tests");
const TRUST = {
  "Authentication:Schemes:Bearer:ValidIssuer": ISSUER,
  "Authentication:Schemes:Bearer:ValidAudiences:0": AUDIENCE,
  "Authentication:Schemes:Bearer:SigningKeys:0:Issuer": ISSUER,
  "Authentication:Schemes:Bearer:SigningKeys:0:Value": KEY.toString("base64"),
};

/** How long a host may take to become ready, in milliseconds. */
const START_TIMEOUT = 60_000;

/**
 * The built server: the file that COLLAB_HOST_DLL names, else the newest build, which is made when there is none.
 * @param withPage whether the demo page must be beside it.
 */
export function findHost({ withPage }: { withPage: boolean }): string {
  const named = process.env["COLLAB_HOST_DLL"];
  if (named) return named;
  const built = newestBuild(withPage);
  if (built) return built;
  const page = withPage ? [] : ["-p:SkipDemoPage=true"];
  execFileSync("dotnet", ["build", PROJECT, "-v", "quiet", "-nodeReuse:false", ...page], { stdio: ["ignore", "inherit", "inherit"] });
  const fresh = newestBuild(withPage);
  if (!fresh) throw new Error(`dotnet build left no Collab.Host.dll${withPage ? " with a demo page" : ""} below ${PROJECT}/bin.`);
  return fresh;
}

function newestBuild(withPage: boolean): string | undefined {
  return ["Debug", "Release"]
    .map((configuration) => join(PROJECT, "bin", configuration, "net10.0"))
    .filter((folder) => existsSync(join(folder, "Collab.Host.dll")) && (!withPage || existsSync(join(folder, "wwwroot/index.html"))))
    .map((folder) => join(folder, "Collab.Host.dll"))
    .sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs)[0];
}

/** A real server in its own process, with its own data folder and port, which it keeps when it is started again. */
export class CollabHost {
  readonly port: number;
  readonly dataDirectory = mkdtempSync(join(tmpdir(), "collab-test-"));
  readonly #dll: string;
  readonly #settings: Readonly<Record<string, string>>;
  #process: ChildProcess | undefined;
  #output = "";

  private constructor(dll: string, port: number, settings: Readonly<Record<string, string>>) {
    this.#dll = dll;
    this.#settings = settings;
    this.port = port;
  }

  /**
   * Starts a server and waits until it is ready.
   * @param options `settings` by their keys, such as `Collab:Channels:Default:HistoryMessages`.
   */
  static async start({ withPage = false, settings = {} }: { withPage?: boolean; settings?: Record<string, string> } = {}): Promise<CollabHost> {
    const host = new CollabHost(findHost({ withPage }), await freePort(), settings);
    await host.start();
    return host;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get hubUrl(): string {
    return `${this.url}/hubs/collab`;
  }

  /** Starts it again after {@link kill}, and waits until it is ready. */
  async start(): Promise<void> {
    const settings = Object.entries({ ...TRUST, ...this.#settings }).map(([key, value]) => `--${key}=${value}`);
    const child = spawn("dotnet", [this.#dll, "--urls", this.url, ...settings], {
      env: { ...process.env, ASPNETCORE_ENVIRONMENT: "Development", Collab__DataDirectory: this.dataDirectory },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#process = child;
    for (const stream of [child.stdout, child.stderr]) stream?.on("data", (data) => (this.#output = `${this.#output}${data}`.slice(-20_000)));
    const deadline = Date.now() + START_TIMEOUT;
    while (!(await this.#isReady())) {
      if (child.exitCode !== null) throw new Error(`The host ended with ${child.exitCode}:\n${this.#output}`);
      if (Date.now() > deadline) throw new Error(`The host was not ready in ${START_TIMEOUT} ms:\n${this.#output}`);
      await wait(50);
    }
  }

  /** `kill -9`, or a clean stop with SIGTERM; waits for the end. */
  async kill(signal: "SIGKILL" | "SIGTERM" = "SIGKILL"): Promise<void> {
    const child = this.#process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill(signal);
    await ended;
  }

  /** Ends the server and removes its data. */
  async dispose(): Promise<void> {
    await this.kill();
    rmSync(this.dataDirectory, { recursive: true, force: true });
  }

  async #isReady(): Promise<boolean> {
    try {
      return (await fetch(`${this.url}/health/ready`)).ok;
    } catch {
      return false;
    }
  }
}

/**
 * A token of a user who may do what `access` says with every document and channel. Without a token a caller is a guest who may do everything.
 * @param lifetime how many seconds it holds.
 */
export function tokenOf(user: string, access: readonly string[] = ["read", "write", "subscribe", "publish", "presence"], lifetime = 3600): string {
  return sign(user, [{ document: "*", access }, { channel: "*", access }], lifetime);
}

/** A token of a user who may administer the server. */
export function adminTokenOf(user: string): string {
  return sign(user, { admin: true }, 3600);
}

function sign(user: string, grants: unknown, lifetime: number): string {
  const issued = Math.floor(Date.now() / 1000);
  const parts = [{ alg: "HS256", typ: "JWT" }, { iss: ISSUER, aud: AUDIENCE, sub: user, iat: issued, exp: issued + lifetime, collab: grants }];
  const signed = parts.map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
  return `${signed}.${createHmac("sha256", KEY).update(signed).digest("base64url")}`;
}

/** A port of the loopback address that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
