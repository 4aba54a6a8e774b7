import { CollabProvider } from "@collab/client";
import * as Y from "yjs";
import { expect, test } from "../fixtures";
import { TerminalEditor } from "../TerminalEditor";

test("a terminal, a browser and a program write one document over three transports, and all show the same", async ({ host, openPage, documentId }, testInfo) => {
  const page = await openPage({ name: "Ada", transport: "serverSentEvents" });
  const terminal = TerminalEditor.open(host.port, { documentId, name: "Grace", transport: "LongPolling" });
  const program = new CollabProvider({ url: `http://localhost:${host.port}/hubs/collab`, connection: "webSockets" }, documentId, new Y.Doc());
  try {
    await page.editor.click();
    await page.type("browser\nterminal\nprogram");
    await expect.poll(() => terminal.lines.slice(0, 3).map((line) => line.split(" ")[0])).toEqual(["browser", "terminal", "program"]);
    await expect.poll(() => terminal.side).toContain("Ada");
    await expect(page.page.getByTestId("avatar")).toHaveCount(2);

    // Each types in its own line at the same time.
    await page.goTo(0);
    terminal.press("Down", "End");
    const paragraph = (): Y.XmlText => (program.doc.getXmlFragment("default").get(2) as Y.XmlElement).get(0) as Y.XmlText;
    await expect.poll(() => program.synced && program.doc.getXmlFragment("default").length).toBe(3);
    await Promise.all([
      page.type(" types in bold", 20),
      (async () => {
        for (const word of [" types", " plain", " text"]) {
          terminal.type(word);
          await page.page.waitForTimeout(50);
        }
      })(),
      (async () => {
        for (const letter of " types by code") {
          paragraph().insert(paragraph().length, letter);
          await page.page.waitForTimeout(15);
        }
      })(),
    ]);

    const lines = ["browser types in bold", "terminal types plain text", "program types by code"];
    await page.hasText(lines.join("\n\n"));
    await expect.poll(() => terminal.lines.slice(0, 3).map((line, i) => line.slice(0, lines[i]!.length))).toEqual(lines);
    await expect.poll(() => program.doc.getXmlFragment("default").toString()).toBe(lines.map((line) => `<paragraph>${line}</paragraph>`).join(""));

    // Each sees the other's caret with its name.
    await expect.poll(() => terminal.lines[0]).toContain(" Ada");
    await expect(page.page.getByTestId("caret-label").filter({ hasText: "Grace" })).toBeVisible();

    // A line feed, and taking back what one typed oneself.
    terminal.press("Enter");
    terminal.type("new line");
    await page.hasText([lines[0], lines[1], "new line", lines[2]].join("\n\n"));
    await page.page.screenshot({ path: testInfo.outputPath("browser.png") });
  } finally {
    program.destroy();
    terminal.close();
  }
});

test("a terminal goes offline and comes back, takes back its own only, and shares the chat", async ({ host, openPage, documentId }) => {
  const page = await openPage({ name: "Ada" });
  const terminal = TerminalEditor.open(host.port, { documentId, name: "Grace", transport: "WebSockets" });
  try {
    await page.editor.click();
    await page.type("browser");
    await expect.poll(() => terminal.lines[0]).toContain("browser");

    terminal.press("F2");
    await expect.poll(() => terminal.status).toContain("offline");
    terminal.type("terminal ");
    await expect.poll(() => terminal.status).toContain("9 changes kept here");
    await page.type(" online");
    expect(terminal.lines[0]).toBe("terminal browser");
    terminal.press("F2");
    await page.hasText("terminal browser online");
    await expect.poll(() => terminal.status).toContain("all saved");

    terminal.press("C-z");
    await page.hasText("browser online");

    terminal.press("F3");
    terminal.type("hello from here");
    terminal.press("Enter");
    await page.page.getByTestId("chat-button").click();
    await expect(page.page.getByTestId("chat")).toContainText("hello from here");
    await page.page.getByTestId("chat-input").fill("hello back");
    await page.page.keyboard.press("Enter");
    await expect.poll(() => terminal.side).toContain("Ada: hello back");
  } finally {
    terminal.close();
  }
});
