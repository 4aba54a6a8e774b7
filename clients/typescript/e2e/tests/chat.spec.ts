import type { DocumentPage } from "../DocumentPage";
import { expect, test, TRANSPORTS } from "../fixtures";

async function openChat({ page }: DocumentPage): Promise<void> {
  await page.getByTestId("chat-button").click();
  await expect(page.getByTestId("chat")).toBeVisible();
}

async function say({ page }: DocumentPage, text: string): Promise<void> {
  await page.getByTestId("chat-input").fill(text);
  await page.getByTestId("chat-input").press("Enter");
}

/** Waits until exactly these texts stand there, in this order, and none is on its way. */
async function shows({ page }: DocumentPage, texts: readonly string[]): Promise<void> {
  await expect(page.getByTestId("chat-text")).toHaveText([...texts]);
  await expect(page.getByTestId("chat-state")).toHaveCount(0);
}

for (const transport of Object.keys(TRANSPORTS))
  test(`two windows over ${transport} chat, see each other, and one who comes later reads it all`, async ({ openPage }) => {
    const ada = await openPage({ name: "Ada", transport });
    const grace = await openPage({ name: "Grace", transport });
    await openChat(ada);
    await openChat(grace);
    await expect(ada.page.getByTestId("chat-here")).toHaveText(/^2 here: .*Grace/);
    await expect(ada.page.getByTestId("chat-note").filter({ hasText: "Grace is here" })).toBeVisible();

    await say(ada, "Hello");
    await say(grace, "Hello yourself");
    await shows(ada, ["Hello", "Hello yourself"]);
    await shows(grace, ["Hello", "Hello yourself"]);
    await expect(ada.page.getByTestId("chat-line").first()).toContainText("Ada (you)");
    await expect(grace.page.getByTestId("chat-line").first()).not.toContainText("(you)");

    const later = await openPage({ name: "Alan", transport });
    await openChat(later);
    await shows(later, ["Hello", "Hello yourself"]);
    await expect(grace.page.getByTestId("chat-here")).toHaveAttribute("data-count", "3");
  });

test("what is said while the chat is closed is counted, also over a reload, until it is opened", async ({ openPage }) => {
  const ada = await openPage({ name: "Ada" });
  const grace = await openPage({ name: "Grace" });
  const unread = grace.page.getByTestId("chat-unread");
  await openChat(ada);
  await expect(unread).toBeHidden();

  await say(ada, "one");
  await expect(unread).toHaveText("1");
  await say(ada, "two");
  await expect(unread).toHaveText("2");
  await expect(grace.page.getByTestId("chat-button")).toHaveAccessibleName("Chat, 2 unread");
  await grace.page.reload();
  await expect(unread).toHaveText("2");

  await openChat(grace);
  await expect(unread).toBeHidden();
  await grace.page.getByTestId("chat-close").click();
  await grace.page.reload();
  await grace.isSaved();
  await expect(grace.page.getByTestId("chat-text")).toHaveCount(2);
  await expect(unread).toBeHidden();
  await say(ada, "three");
  await expect(unread).toHaveText("1");
});

test("markup and odd data from strangers stay text", async ({ openPage, host, documentId }) => {
  const ada = await openPage({ name: "Ada" });
  await openChat(ada);
  const hostile = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>';
  const from = { id: "x", name: hostile, color: "red;background:url(//evil)" };
  for (const data of [{ from, text: hostile }, { from: null, text: { toString: 1 } }, "just text", null, { from: { name: 7 }, text: "‮ok" }])
    await publish(host.url, `doc:${documentId}`, "chat", data);
  await publish(host.url, `doc:${documentId}`, "titled", { from, title: hostile });
  await publish(host.url, `doc:${documentId}`, "constructor", { from });
  await say(ada, "still here");

  await expect(ada.page.getByTestId("chat-text").last()).toHaveText("still here");
  await expect(ada.page.getByTestId("chat-text").first()).toHaveText(hostile);
  await expect(ada.page.getByTestId("chat-note").last()).toContainText("<img src=x");
  expect(await ada.page.evaluate(() => "hacked" in window)).toBe(false);
  await expect(ada.page.getByTestId("chat").locator("img, script")).toHaveCount(0);
  expect(ada.complaints).toEqual([]);
});

test("one who goes offline writes on, and what was said meanwhile comes once and in the order of the log", async ({ openPage }) => {
  const ada = await openPage({ name: "Ada" });
  const grace = await openPage({ name: "Grace" });
  await openChat(ada);
  await openChat(grace);
  await say(ada, "before");
  await shows(grace, ["before"]);

  await ada.goOffline();
  await say(ada, "from the train");
  await expect(ada.page.getByTestId("chat-state")).toHaveText("Sending…");
  await say(grace, "are you there?");
  await shows(grace, ["before", "are you there?"]);
  await ada.goOnline();

  const all = ["before", "are you there?", "from the train"];
  await shows(ada, all);
  await shows(grace, all);
});

test("a server killed while two windows chat loses and doubles nothing", async ({ openPage, host }) => {
  const ada = await openPage({ name: "Ada" });
  const grace = await openPage({ name: "Grace", transport: "longPolling" });
  await openChat(ada);
  await openChat(grace);
  const texts = Array.from({ length: 24 }, (_, i) => `line ${i}`);

  for (const [i, text] of texts.entries()) {
    await say(i % 2 === 0 ? ada : grace, text);
    if (i === 8) await host.kill("SIGKILL");
    if (i === 16) await host.start();
  }

  for (const window of [ada, grace]) {
    await expect(window.page.getByTestId("chat-text")).toHaveCount(texts.length);
    await expect(window.page.getByTestId("chat-state")).toHaveCount(0);
  }
  // Those who were there all the time are not said to have left.
  await expect(ada.page.getByTestId("chat-here")).toHaveAttribute("data-count", "2");
  await expect(ada.page.getByTestId("chat-note").filter({ hasText: "left" })).toHaveCount(0);
  const [first, second] = await Promise.all([ada, grace].map(({ page }) => page.getByTestId("chat-text").allTextContents()));
  expect(first).toEqual(second);
  expect([...first!].sort()).toEqual([...texts].sort());
});

test("a name that changes is told to the others, and a new first line too", async ({ openPage }) => {
  const ada = await openPage({ name: "Ada" });
  const grace = await openPage({ name: "Grace" });
  await openChat(ada);
  await grace.page.getByTestId("name").fill("Katherine");
  await expect(ada.page.getByTestId("chat-here")).toContainText("Katherine");
  await expect(ada.page.getByTestId("chat-note").last()).toHaveText("Grace is now Katherine");

  await grace.editor.click();
  await grace.type("Minutes");
  await expect(ada.page.getByTestId("chat-note").last()).toHaveText("Katherine named the document “Minutes”");
});

test("one who leaves is gone for the others", async ({ openPage }) => {
  const ada = await openPage({ name: "Ada" });
  const grace = await openPage({ name: "Grace" });
  await openChat(ada);
  await expect(ada.page.getByTestId("chat-here")).toHaveAttribute("data-count", "2");
  await grace.page.evaluate(() => (location.hash = "#/d/another-document"));
  await expect(ada.page.getByTestId("chat-here")).toHaveText("Only you are here");
  await expect(ada.page.getByTestId("chat-note").last()).toHaveText("Grace left");
});

test("the chat of a document with the longest id works", async ({ openPage }) => {
  const ada = await openPage({ name: "Ada" });
  const id = `long/${"x".repeat(195)}`;
  for (const end of ["a", "b"]) {
    await ada.page.evaluate((hash) => (location.hash = hash), `#/d/${id.slice(0, 199)}${end}`);
    await ada.isSaved();
    if (await ada.page.getByTestId("chat").isHidden()) await openChat(ada);
    await expect(ada.page.getByTestId("chat-text")).toHaveCount(0);
    await say(ada, `in ${end}`);
    await shows(ada, [`in ${end}`]);
  }
});

test("the chat fits a phone and works by keyboard", async ({ openPage }) => {
  const phone = await openPage({ name: "Ada", viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true });
  await phone.page.getByTestId("chat-button").tap();
  await expect(phone.page.getByTestId("chat-input")).toBeFocused();
  await phone.page.keyboard.type("first line");
  await phone.page.keyboard.press("Shift+Enter");
  await phone.page.keyboard.type(`second ${"long".repeat(60)}`);
  await phone.page.getByTestId("chat-send").tap();
  await expect(phone.page.getByTestId("chat-text")).toContainText("first line\nsecond");
  expect(await phone.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBe(0);
  await phone.page.keyboard.press("Escape");
  await expect(phone.page.getByTestId("chat")).toBeHidden();
  await expect(phone.page.getByTestId("chat-button")).toBeFocused();
  expect(phone.complaints).toEqual([]);
});

async function publish(url: string, channel: string, event: string, data: unknown): Promise<void> {
  const response = await fetch(`${url}/channels/${encodeURIComponent(channel)}/messages`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ event, data }),
  });
  expect(response.status).toBe(200);
}
