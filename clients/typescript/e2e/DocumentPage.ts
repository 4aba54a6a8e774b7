import type { Browser, BrowserContext, BrowserContextOptions, Locator, Page } from "@playwright/test";
import { expect } from "@playwright/test";
import { FaultyNetwork } from "../testing/FaultyNetwork";

/** What the page offers to tests; see the demo's main.ts. */
interface PageHandle {
  readonly view: {
    readonly editor: {
      getJSON(): unknown;
      getText(): string;
      readonly state: { readonly selection: { readonly $anchor: { index(depth: number): number } } };
    };
    readonly provider: {
      readonly unacknowledged: number;
      on(event: "acknowledged", listener: (event: { update: Uint8Array }) => void): void;
    };
  };
}

/** A browser window on a document, with a network of its own that can be cut. */
export class DocumentPage {
  private constructor(
    readonly page: Page,
    readonly network: FaultyNetwork,
    private readonly context: BrowserContext,
    /** Everything that the page complained about in its console. */
    readonly complaints: string[],
  ) {}

  /** Opens a window and waits for the document. */
  static async open(
    browser: Browser,
    hostPort: number,
    { documentId, name, transport = "", ...options }: { documentId: string; name: string; transport?: string } & BrowserContextOptions,
  ): Promise<DocumentPage> {
    const network = await FaultyNetwork.to(hostPort);
    const context = await browser.newContext(options);
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(String(error)));
    await page.goto(`${network.url}/?${new URLSearchParams({ name, transport })}#/d/${documentId}`);
    const opened = new DocumentPage(page, network, context, complaints);
    await opened.isSaved();
    return opened;
  }

  get editor(): Locator {
    return this.page.getByTestId("editor");
  }

  /** Waits until everything written here is durable. */
  async isSaved(): Promise<void> {
    await expect(this.page.getByTestId("save-state")).toHaveAttribute("data-state", "saved");
  }

  /** Puts the caret at the end of the paragraph of that number, from 0. */
  async goTo(paragraph: number): Promise<void> {
    // What another window sends at that moment can put the caret back where it was.
    await expect(async () => {
      await this.editor.locator(":scope > p").nth(paragraph).click();
      await this.page.keyboard.press("End");
      const at = await this.page.evaluate(() => (window as unknown as { collab: PageHandle }).collab.view.editor.state.selection.$anchor.index(0));
      expect(at).toBe(paragraph);
    }).toPass();
  }

  async type(text: string, delay = 0): Promise<void> {
    await this.page.keyboard.type(text, { delay });
  }

  /** Waits until the document's text is this; the names at carets are not part of it. */
  async hasText(text: string): Promise<void> {
    await expect.poll(() => this.page.evaluate(() => (window as unknown as { collab: PageHandle }).collab.view.editor.getText())).toBe(text);
  }

  /** The document with its formatting. */
  json(): Promise<unknown> {
    return this.page.evaluate(() => (window as unknown as { collab: PageHandle }).collab.view.editor.getJSON());
  }

  /** Hands every update that the server acknowledges from now on to `listener`. */
  async onAcknowledged(listener: (update: Uint8Array) => void): Promise<void> {
    await this.page.exposeFunction("reportAcknowledged", (bytes: number[]) => listener(Uint8Array.from(bytes)));
    await this.page.evaluate(() => {
      const { collab, reportAcknowledged } = window as unknown as { collab: PageHandle; reportAcknowledged: (bytes: number[]) => void };
      collab.view.provider.on("acknowledged", ({ update }) => reportAcknowledged([...update]));
    });
  }

  /** Takes the network away: the browser is told, and what is connected is cut. */
  async goOffline(): Promise<void> {
    this.network.cut();
    await this.context.setOffline(true);
  }

  async goOnline(): Promise<void> {
    this.network.restore();
    await this.context.setOffline(false);
  }

  async close(): Promise<void> {
    await this.context.close();
    await this.network.dispose();
  }
}
