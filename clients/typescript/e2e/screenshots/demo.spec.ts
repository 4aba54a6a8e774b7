import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "../fixtures";

const PICTURE = join(dirname(fileURLToPath(import.meta.url)), "../../../../docs/images/demo.png");

const WINDOW = { viewport: { width: 1180, height: 760 }, deviceScaleFactor: 2 };

test("two windows with each other's carets", async ({ openPage, browser }) => {
  const ada = await openPage({ name: "Ada Lovelace", ...WINDOW, colorScheme: "light" });
  const grace = await openPage({ name: "Grace Hopper", transport: "serverSentEvents", ...WINDOW, colorScheme: "dark" });
  await ada.editor.click();
  await ada.type("# Launch notes\nThe new editor goes out on ");
  await ada.page.keyboard.press("Control+b");
  await ada.type("Thursday");
  await ada.page.keyboard.press("Control+b");
  await ada.type(". Every letter is on disk before the page says that it is saved, and three transports carry it through any network.\n");
  await ada.type("## Before we ship\n- Read the release notes once more\nRecord the `kill -9` demo\nThank the early testers\n\n> Simple things should be simple, complex things should be possible.");
  await grace.editor.locator("h1").click();
  await grace.page.keyboard.press("End");
  await grace.type(" for Friday");
  for (const window of [ada, grace]) await window.isSaved();
  await ada.page.getByTestId("caret-label").waitFor();
  await grace.page.getByTestId("caret-label").waitFor();
  const [light, dark] = await Promise.all([ada, grace].map(async ({ page }) => (await page.screenshot()).toString("base64")));

  const sheet = await browser.newPage({ viewport: { width: 1600, height: 1010 }, deviceScaleFactor: 1.25 });
  await sheet.setContent(`<style>
    body { margin: 0; height: 1010px; background: linear-gradient(135deg, #dfe3ff, #f4e8ff 55%, #ffe9d9); overflow: hidden; }
    img { position: absolute; width: 1060px; border-radius: 14px; box-shadow: 0 30px 80px -20px rgb(30 20 80 / 45%), 0 0 0 1px rgb(0 0 0 / 8%); }
    .light { left: 60px; top: 60px; } .dark { right: 60px; bottom: 60px; }
  </style><img class="light" src="data:image/png;base64,${light}"><img class="dark" src="data:image/png;base64,${dark}">`);
  mkdirSync(dirname(PICTURE), { recursive: true });
  await sheet.screenshot({ path: PICTURE });
});
