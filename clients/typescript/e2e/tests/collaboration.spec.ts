import type { TestInfo } from "@playwright/test";
import * as Y from "yjs";
import type { DocumentPage } from "../DocumentPage";
import { expect, test, TRANSPORTS } from "../fixtures";

const NAMES = { webSockets: "Ada Lovelace", serverSentEvents: "Grace Hopper", longPolling: "Alan Turing" } as const;

/** A window for each transport, on one document. */
async function openOnePerTransport(openPage: (options: { name: string; transport: string }) => Promise<DocumentPage>): Promise<DocumentPage[]> {
  const pages: DocumentPage[] = [];
  for (const [transport, name] of Object.entries(NAMES)) pages.push(await openPage({ name, transport }));
  return pages;
}

/** Gives the document as many paragraphs as there are windows, and each window its own. */
async function takeParagraphs(pages: readonly DocumentPage[]): Promise<void> {
  const [first] = pages;
  await first!.editor.click();
  await first!.type(pages.map((_, i) => `${i}:`).join("\n"));
  for (const [i, page] of pages.entries()) {
    await expect(page.editor.locator(":scope > p")).toHaveCount(pages.length);
    await page.goTo(i);
  }
}

/** Waits until all windows show the same document, formatting included. */
async function expectSame(pages: readonly DocumentPage[]): Promise<void> {
  for (const page of pages) await page.isSaved();
  await expect
    .poll(async () => new Set((await Promise.all(pages.map((page) => page.json()))).map((json) => JSON.stringify(json))).size)
    .toBe(1);
}

async function keepPictures(pages: readonly DocumentPage[], testInfo: TestInfo): Promise<void> {
  for (const [i, { page }] of pages.entries()) await page.screenshot({ path: testInfo.outputPath(`window-${i}.png`) });
}

test("three windows, one per transport, write at the same time and converge with formatting", async ({ openPage }, testInfo) => {
  const pages = await openOnePerTransport(openPage);
  for (const [i, name] of Object.values(TRANSPORTS).entries()) await expect(pages[i]!.page.getByTestId("connection")).toHaveText(name);
  await takeParagraphs(pages);

  await Promise.all(
    pages.map(async (page, i) => {
      for (let round = 0; round < 5; round++) {
        await page.type(` plain-${i}-${round} `, 8);
        const shortcut = ["Control+b", "Control+i", "Control+u"][i]!;
        await page.page.keyboard.press(shortcut);
        await page.type(`formatted-${i}-${round}`, 8);
        await page.page.keyboard.press(shortcut);
      }
    }),
  );

  await expectSame(pages);
  for (const [i, tag] of ["strong", "em", "u"].entries())
    for (const page of pages) {
      const paragraph = page.editor.locator(":scope > p").nth(i);
      await expect(paragraph.locator(tag)).toHaveText(Array.from({ length: 5 }, (_, round) => `formatted-${i}-${round}`));
      for (let round = 0; round < 5; round++) await expect(paragraph).toContainText(` plain-${i}-${round} `);
    }
  await keepPictures(pages, testInfo);
});

test("two who write into the same paragraph, and a heading and a list, converge", async ({ openPage }) => {
  const ada = await openPage({ name: "Ada" });
  const grace = await openPage({ name: "Grace", transport: "longPolling" });
  await ada.editor.click();
  await ada.type("# Agenda\n- first\n");
  await expect(grace.editor.locator("li")).toHaveCount(2);
  await grace.editor.locator("li").first().click();
  await grace.page.keyboard.press("End");

  await Promise.all([ada.type("second point from Ada", 10), grace.type(" point, said Grace", 10)]);

  await expectSame([ada, grace]);
  await expect(grace.editor.locator("h1")).toHaveText("Agenda");
  await expect(ada.page.getByTestId("title")).toHaveText("Agenda");
  await expect(ada.editor.locator("li").first()).toContainText("point, said Grace");
  await expect(grace.editor.locator("li").last()).toContainText("second point from Ada");
});

test("everyone sees the others' carets with their names, and who is there", async ({ openPage }, testInfo) => {
  const pages = await openOnePerTransport(openPage);
  await takeParagraphs(pages);

  for (const [i, page] of pages.entries()) {
    const others = Object.values(NAMES).filter((_, other) => other !== i);
    await expect(page.page.getByTestId("caret-label")).toHaveCount(2);
    for (const name of others) await expect(page.page.getByTestId("caret-label").filter({ hasText: name })).toBeVisible();
    await expect(page.page.getByTestId("avatar")).toHaveCount(3);
  }
  await keepPictures(pages, testInfo);

  await pages[1]!.page.getByTestId("name").fill("Admiral Hopper");
  // A caret is shown while its window's editor has the focus.
  await pages[1]!.goTo(1);
  await expect(pages[0]!.page.getByTestId("caret-label").filter({ hasText: "Admiral Hopper" })).toBeVisible();

  await pages[0]!.page.close();
  await expect(pages[1]!.page.getByTestId("avatar")).toHaveCount(2);
  await expect(pages[1]!.page.getByTestId("caret-label").filter({ hasText: "Ada Lovelace" })).toHaveCount(0);
});

for (const transport of Object.keys(TRANSPORTS))
  test(`one who goes offline over ${transport} writes on and loses nothing`, async ({ openPage }, testInfo) => {
    const ada = await openPage({ name: "Ada", transport });
    const grace = await openPage({ name: "Grace" });
    await takeParagraphs([ada, grace]);
    await expectSame([ada, grace]);

    await ada.goOffline();
    await ada.type(" written under way ");
    await grace.type(" written meanwhile ");
    await grace.isSaved();
    await expect(ada.page.getByTestId("save-state")).toHaveAttribute("data-state", "waiting");
    await expect(ada.page.getByTestId("banner")).toBeVisible();
    await expect(ada.editor).not.toContainText("meanwhile");
    await keepPictures([ada], testInfo);
    await ada.goOnline();

    await expectSame([ada, grace]);
    await expect(grace.editor).toContainText("written under way");
    await expect(ada.editor).toContainText("written meanwhile");
    await expect(ada.page.getByTestId("banner")).toBeHidden();
  });

test("a server killed in mid traffic keeps every acknowledged update, and a window opened later sees it all", async ({ openPage, host }) => {
  const pages = await openOnePerTransport(openPage);
  await takeParagraphs(pages);
  await expectSame(pages);
  const acknowledged = new Y.Doc();
  let acknowledgements = 0;
  for (const page of pages)
    await page.onAcknowledged((update) => {
      acknowledgements++;
      Y.applyUpdate(acknowledged, update);
    });

  const typing = Promise.all(
    pages.map(async (page, i) => {
      for (let word = 0; word < 40; word++) await page.type(` w${i}-${word}`, 6);
    }),
  );
  await expect.poll(() => acknowledgements).toBeGreaterThan(40);
  await host.kill("SIGKILL");
  // The windows must not fill in what the server may have lost: they stay cut off until it has been looked at.
  for (const { network, page } of pages) {
    network.cut();
    // Answered after the acknowledgements that the window has reported.
    await page.evaluate(() => undefined);
  }
  // Whatever was acknowledged before the kill is promised. Updates refer to the paragraphs, so they are counted, not read.
  const promised = acknowledgedClocks(acknowledged);
  await host.start();

  const later = await openPage({ name: "Katherine Johnson" });
  const kept = await later.page.evaluate(() => {
    const { doc } = (window as unknown as { collab: { view: { provider: { doc: { store: { clients: Map<number, { id: { clock: number }; length: number }[]> } } } } } }).collab.view.provider;
    return [...doc.store.clients].map(([client, structs]) => [client, structs.at(-1)!.id.clock + structs.at(-1)!.length] as const);
  });
  expect(promised.size).toBe(3);
  for (const [client, clock] of promised) expect(new Map(kept).get(client) ?? 0).toBeGreaterThanOrEqual(clock);

  for (const page of pages) page.network.restore();
  await typing;
  await expectSame([...pages, later]);
  await later.hasText(pages.map((_, i) => `${i}:${Array.from({ length: 40 }, (_, word) => ` w${i}-${word}`).join("")}`).join("\n\n"));
});

/** How far each writer's acknowledged changes reach, whether or not they could be applied here. */
function acknowledgedClocks(doc: Y.Doc): Map<number, number> {
  const clocks = Y.decodeStateVector(Y.encodeStateVectorFromUpdate(Y.encodeStateAsUpdate(doc)));
  for (const struct of Y.decodeUpdate(Y.encodeStateAsUpdate(doc)).structs)
    clocks.set(struct.id.client, Math.max(clocks.get(struct.id.client) ?? 0, struct.id.clock + struct.length));
  return clocks;
}

test("the transport is switched in place", async ({ openPage }) => {
  const ada = await openPage({ name: "Ada" });
  const grace = await openPage({ name: "Grace" });
  await expect(ada.page.getByTestId("connection")).toHaveText(TRANSPORTS.webSockets);
  await ada.editor.click();

  for (const transport of ["longPolling", "serverSentEvents", "webSockets"] as const) {
    await ada.type(`before ${transport} `);
    await ada.page.getByTestId("connection").click();
    await ada.page.getByTestId(`transport-${transport}`).check();
    await ada.page.keyboard.press("Escape");
    await expect(ada.page.getByTestId("connection")).toHaveText(TRANSPORTS[transport]);
    await ada.editor.click();
    await ada.page.keyboard.press("Control+End");
  }

  await expectSame([ada, grace]);
  await grace.hasText("before longPolling before serverSentEvents before webSockets ");
});
