import { expect, test as base } from "../fixtures";
import { EditorPage } from "../bindings/EditorPage";
import type { ClientName, EditorName } from "../bindings/EditorPage";
import { FaultyNetwork } from "../../testing/FaultyNetwork";
import { CollabHost } from "../../testing/CollabHost";
import { SharedStore } from "../../testing/SharedStore";

/** Each editor over clients of each protocol, and each version of each client once. */
const PAGES: readonly (readonly [EditorName, ClientName])[] = [
  ["quill", "y-websocket 3"],
  ["tiptap", "hocuspocus 4"],
  ["codemirror", "hocuspocus 2"],
  ["tiptap", "y-websocket 2"],
  ["quill", "hocuspocus 3"],
  ["codemirror", "y-websocket 1"],
  ["tiptap", "collab"],
  ["quill", "collab"],
  ["codemirror", "collab"],
];

const test = base.extend<
  { openEditors(documentId: string, ports: readonly number[]): Promise<EditorPage[]> },
  { script: string; store: SharedStore }
>({
  script: [async ({}, use) => use(await EditorPage.script()), { scope: "worker", timeout: 120_000 }],
  store: [
    async ({}, use) => {
      const store = await SharedStore.start();
      await use(store);
      await store.dispose();
    },
    { scope: "worker", timeout: 120_000 },
  ],
  openEditors: async ({ browser, script }, use) => {
    // The editors bring styles of their own, which the server's policy for its own pages does not allow.
    const context = await browser.newContext({ bypassCSP: true });
    await use((documentId, ports) =>
      Promise.all(PAGES.map(([editor, client], i) => EditorPage.open(context, script, { editor, client, documentId, port: ports[i % ports.length]! }))));
    await context.close();
  },
});

/** Waits until all pages have the same document. */
async function untilSame(pages: readonly EditorPage[]): Promise<void> {
  for (const page of pages) await page.untilSynced();
  await expect.poll(async () => new Set(await Promise.all(pages.map((page) => page.state()))).size, { timeout: 30_000 }).toBe(1);
}

/** Everybody types a first word, one after the other: from then on each has a place of his own, and none begins an empty document anew. */
async function begin(pages: readonly EditorPage[]): Promise<void> {
  for (const [i, page] of pages.entries()) {
    await page.type(`p${i}r1 `);
    await untilSame(pages);
  }
}

/** Everybody types at the same time. */
async function typeAll(pages: readonly EditorPage[], round: number): Promise<void> {
  await Promise.all(pages.map((page, i) => page.type(`p${i}r${round} `)));
}

/** Everybody makes bold, at the same time, what he has typed in these rounds. */
async function emboldenAll(pages: readonly EditorPage[], rounds: number): Promise<void> {
  await Promise.all(pages.map(async (page, i) => {
    for (let round = 1; round <= rounds; round++) await page.embolden(`p${i}r${round}`);
  }));
}

/**
 * Waits until all pages have the same document, and checks that each word of these rounds is in the editors, and that all show the same.
 * @param isBold whether it must be bold in the editors that can.
 */
async function converge(pages: readonly EditorPage[], rounds: number, { isBold = false } = {}): Promise<void> {
  await untilSame(pages);
  const shown = new Map<string, string[]>([["quill", []], ["codemirror", []], ["tiptap", []]]);
  for (const page of pages) shown.get(page.name.split(" ")[0]!)!.push(await page.shows());
  for (const [editor, all] of shown) expect(new Set(all).size, editor).toBe(1);

  const delta = JSON.parse(shown.get("quill")![0]!) as { insert: string; attributes?: { bold?: boolean } }[];
  const plain = delta.map((op) => op.insert).join("");
  // Quill's text ends with a line break of its own.
  expect(plain.replace(/\n$/u, "")).toBe(shown.get("codemirror")![0]!.replace(/\n$/u, ""));
  const bold = delta.filter((op) => op.attributes?.bold).map((op) => op.insert).join("");
  const html = shown.get("tiptap")![0]!;
  const boldHtml = [...html.matchAll(/<strong>(.*?)<\/strong>/gu)].map((match) => match[1]).join("");
  for (let round = 1; round <= rounds; round++) {
    for (const [i, [editor]] of PAGES.entries()) {
      const letters = `p${i}r${round}`;
      expect(editor === "tiptap" ? html : plain, letters).toContain(letters);
      if (isBold && editor !== "codemirror") expect(editor === "tiptap" ? boldHtml : bold, letters).toContain(letters);
    }
  }
}

test("Tiptap, Quill and CodeMirror over every client are one document, through cuts and kill -9", async ({ documentId, openEditors }) => {
  test.setTimeout(180_000);
  const host = await CollabHost.start({ settings: { "Collab:Fanout:KeepAliveMilliseconds": "1000" } });
  const network = await FaultyNetwork.to(host.port);
  try {
    const pages = await openEditors(documentId, [host.port, Number(new URL(network.url).port)]);
    for (const page of pages) await page.untilSynced();

    await begin(pages);
    await converge(pages, 1);

    network.cut();
    // One after the other: where a browser puts what is typed into text that is just made bold is its own affair.
    await emboldenAll(pages, 1);
    await typeAll(pages, 2);
    network.restore();
    await converge(pages, 2);

    await Promise.all([typeAll(pages, 3), host.kill()]);
    await host.start();
    await converge(pages, 3);
    await emboldenAll(pages, 3);
    await converge(pages, 3, { isBold: true });
  } finally {
    await network.dispose();
    await host.dispose();
  }
});

test("on two nodes, one of which dies, they are one document too", async ({ documentId, openEditors, store }) => {
  test.setTimeout(180_000);
  const nodes = await Promise.all([store.startNode(), store.startNode()]);
  try {
    const pages = await openEditors(documentId, nodes.map((node) => node.port));
    for (const page of pages) await page.untilSynced();
    await begin(pages);
    await converge(pages, 1);

    await Promise.all([emboldenAll(pages, 1), nodes[1]!.kill()]);
    await typeAll(pages, 2);
    await nodes[1]!.start();

    await converge(pages, 2);
    await emboldenAll(pages, 2);
    await converge(pages, 2, { isBold: true });
  } finally {
    for (const node of nodes) await node.dispose();
  }
});
