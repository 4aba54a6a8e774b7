import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const PROJECT = join(dirname(fileURLToPath(import.meta.url)), "../../dotnet/Collab.Terminal");
const PROGRAM = join(PROJECT, "bin/Release/net10.0/Collab.Terminal.dll");

/** The size of the terminal, in characters. */
const WIDTH = 120;
const HEIGHT = 30;

/** Where the document and what is beside it are on the screen, in characters from the left. */
const DOCUMENT = [2, 84] as const;
const SIDE = [86, 118] as const;

/** The editor for terminals, in a terminal of its own (tmux), with its keyboard and screen. */
export class TerminalEditor {
  readonly #socket = `collab-${randomUUID()}`;
  readonly #folder = mkdtempSync(join(tmpdir(), "collab-terminal-"));

  get #complaints(): string {
    return join(this.#folder, "complaints.txt");
  }

  private constructor() {}

  static open(hostPort: number, options: { documentId: string; name: string; transport: string }): TerminalEditor {
    if (!existsSync(PROGRAM)) execFileSync("dotnet", ["build", PROJECT, "-c", "Release", "-v", "quiet", "-nodeReuse:false"], { stdio: ["ignore", "inherit", "inherit"] });
    const editor = new TerminalEditor();
    editor.#start(hostPort, options);
    return editor;
  }

  /** What the screen shows of the document, line by line, and the names at carets behind their lines. */
  get lines(): string[] {
    return this.#part(DOCUMENT);
  }

  /** What the screen shows beside the document: who is there, and the chat. */
  get side(): string {
    return this.#part(SIDE).join("\n");
  }

  /** The line at the bottom. */
  get status(): string {
    return this.#screen().at(-2) ?? "";
  }

  type(text: string): void {
    this.#tmux("send-keys", "-l", text);
  }

  /** Presses keys, by the names that tmux has for them. */
  press(...keys: string[]): void {
    this.#tmux("send-keys", ...keys);
  }

  close(): void {
    try {
      this.#tmux("kill-server");
    } catch {
      // It has ended already.
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #start(hostPort: number, { documentId, name, transport }: { documentId: string; name: string; transport: string }): void {
    // What the program says when it breaks would be gone with its terminal.
    const command = ["sh", "-c", 'exec "$@" 2>"$0"', this.#complaints, "dotnet", PROGRAM, documentId, "--server", `http://localhost:${hostPort}`, "--name", name, "--transport", transport, "--folder", this.#folder];
    // No status line of tmux' own, and UTF-8 whatever the machine's language.
    this.#tmux("-u", "-f", "/dev/null", "new-session", "-d", "-x", String(WIDTH), "-y", String(HEIGHT), ...command);
    this.#tmux("set", "-g", "status", "off");
  }

  #part([from, to]: readonly [number, number]): string[] {
    return this.#screen()
      .slice(2, -3)
      .map((line) => [...line].slice(from, to).join("").trimEnd());
  }

  #screen(): string[] {
    return this.#tmux("capture-pane", "-p").replace(/\n$/, "").split("\n");
  }

  #tmux(...args: string[]): string {
    try {
      return execFileSync("tmux", ["-L", this.#socket, ...args], { encoding: "utf8", env: { ...process.env, LANG: "C.UTF-8", TERM: "xterm-256color" } });
    } catch (error) {
      const complaints = existsSync(this.#complaints) ? readFileSync(this.#complaints, "utf8") : "";
      throw new Error(`The terminal has ended: ${complaints}`, { cause: error });
    }
  }
}
