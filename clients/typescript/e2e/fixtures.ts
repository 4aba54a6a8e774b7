import { randomUUID } from "node:crypto";
import { test as base } from "@playwright/test";
import type { BrowserContextOptions } from "@playwright/test";
import { CollabHost } from "../testing/CollabHost";
import { DocumentPage } from "./DocumentPage";

interface Fixtures {
  /** An id of this test's own. */
  documentId: string;
  /** Opens a window on the test's document; it is closed with the test. */
  openPage(options: { name: string; transport?: string } & BrowserContextOptions): Promise<DocumentPage>;
}

/** Tests with a real server, which all share, and real Chromium. */
export const test = base.extend<Fixtures, { host: CollabHost }>({
  host: [
    async ({}, use) => {
      const host = await CollabHost.start({ withPage: true });
      await use(host);
      await host.dispose();
    },
    { scope: "worker", timeout: 300_000 },
  ],
  documentId: async ({}, use) => use(`e2e/${randomUUID()}`),
  openPage: async ({ browser, host, documentId }, use) => {
    const pages: DocumentPage[] = [];
    await use(async (options) => {
      const page = await DocumentPage.open(browser, host.port, { documentId, ...options });
      pages.push(page);
      return page;
    });
    for (const page of pages) await page.close();
  },
});

export { expect } from "@playwright/test";

/** The transports as the page's address names them, with their names on the page. */
export const TRANSPORTS = { webSockets: "WebSocket", serverSentEvents: "Server-sent events", longPolling: "Long polling" } as const;
