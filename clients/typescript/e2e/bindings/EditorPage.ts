import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { BrowserContext, Page } from "@playwright/test";
import { expect } from "@playwright/test";
import { build } from "vite";
import type { EditorWindow } from "./editors";

const HERE = dirname(fileURLToPath(import.meta.url));

export type EditorName = "quill" | "codemirror" | "tiptap";

export type ClientName =
  | "collab" | "y-websocket 1" | "y-websocket 2" | "y-websocket 3" | "hocuspocus 2" | "hocuspocus 3" | "hocuspocus 4";

/** A page in a real browser with one editor, made of the packages as they come from npm. */
export class EditorPage {
  private constructor(readonly name: string, private readonly page: Page) {}

  /** The script of such pages, with everything in it. */
  static async script(): Promise<string> {
    const built = await build({
      root: HERE,
      configFile: false,
      logLevel: "error",
      // Several Yjs in one page would not know each other's types.
      resolve: { dedupe: ["yjs", "y-protocols"] },
      define: { "process.env.NODE_ENV": '"production"' },
      build: { write: false, minify: false, lib: { entry: join(HERE, "editors.ts"), formats: ["iife"], name: "editors" } },
    });
    const [{ output }] = built as { output: { code?: string }[] }[] as [{ output: [{ code: string }] }];
    return output[0].code;
  }

  /**
   * Opens a page of the server's own origin.
   * @param port where its client finds the server.
   */
  static async open(
    context: BrowserContext, script: string, { editor, client, documentId, port }: { editor: EditorName; client: ClientName; documentId: string; port: number },
  ): Promise<EditorPage> {
    const page = await context.newPage();
    await page.route("**/editors.js", (route) => route.fulfill({ contentType: "text/javascript", body: script }));
    // A page that the server itself has sent: Chromium lets no other speak to this machine.
    await page.goto(`http://127.0.0.1:${port}/health/live?${new URLSearchParams({ editor, client, document: documentId, port: `${port}` })}`);
    await page.evaluate(() => document.body.replaceChildren());
    await page.addScriptTag({ url: "/editors.js" });
    return new EditorPage(`${editor} over ${client}`, page);
  }

  /** Types with the keyboard where the caret is: at first at the beginning. */
  async type(text: string): Promise<void> {
    await this.page.locator("[contenteditable=true]").focus();
    await this.page.keyboard.type(text);
  }

  /** Makes a word bold that was typed here; CodeMirror has no such thing. */
  async embolden(word: string): Promise<void> {
    // Quill takes in what was typed a moment later.
    await expect.poll(() => this.page.evaluate(() => (window as unknown as EditorWindow).editor.text()), { message: this.name }).toContain(word);
    await this.page.evaluate((bold) => (window as unknown as EditorWindow).editor.embolden(bold), word);
  }

  async untilSynced(): Promise<void> {
    await expect.poll(() => this.page.evaluate(() => (window as unknown as EditorWindow).editor.isSynced()), { message: this.name }).toBe(true);
  }

  /** How much of each writer the page has, and the content. */
  state(): Promise<string> {
    return this.page.evaluate(() => (window as unknown as EditorWindow).editor.state());
  }

  /** What the editor shows. */
  shows(): Promise<string> {
    return this.page.evaluate(() => (window as unknown as EditorWindow).editor.shows());
  }
}
