import { expect, test } from "../fixtures";

test("a new document has an address of its own and is listed with its first line", async ({ openPage }) => {
  const { page, editor } = await openPage({ name: "Ada" });
  await page.getByTestId("new-document").click();
  await expect(page).toHaveURL(/#\/d\/[a-z]+-[a-z]+-[a-z0-9]{4}$/);
  await expect(page.getByTestId("save-state")).toHaveAttribute("data-state", "saved");

  await editor.click();
  await page.keyboard.type("Shopping list");

  await expect(page.getByTestId("title")).toHaveText("Shopping list");
  await expect(page.getByTestId("document-link").filter({ hasText: "Shopping list" })).toHaveAttribute("aria-current", "page");
  await page.goBack();
  await expect(page.getByTestId("title")).not.toHaveText("Shopping list");
});

test("two fresh windows at the bare address share a document", async ({ openPage }) => {
  const ada = await openPage({ name: "Ada" });
  const grace = await openPage({ name: "Grace" });
  for (const window of [ada, grace]) {
    await window.page.goto(`${window.network.url}/?name=${window === ada ? "Ada" : "Grace"}`);
    await window.isSaved();
  }
  await ada.editor.click();
  await ada.type("Hello from the other window");
  await expect(grace.editor).toContainText("Hello from the other window");
});

test("a document opens at its plain address, too", async ({ openPage, documentId }) => {
  const ada = await openPage({ name: "Ada" });
  await ada.editor.click();
  await ada.type("Found again");
  await ada.isSaved();
  await ada.page.goto(`${ada.network.url}/d/${documentId}`);
  await ada.hasText("Found again");
  await expect(ada.page).toHaveURL(new RegExp(`/#/d/${documentId}$`));
});

test("a name and a theme are remembered", async ({ openPage }) => {
  const { page } = await openPage({ name: "" });
  await page.getByTestId("name").fill("Katherine Johnson");
  await page.getByTestId("theme-dark").click();
  await page.reload();
  await expect(page.getByTestId("name")).toHaveValue("Katherine Johnson");
  await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
});

test("the toolbar works by keyboard alone", async ({ openPage }) => {
  const { page, editor } = await openPage({ name: "Ada" });
  await editor.click();
  await page.keyboard.type("important");
  await page.keyboard.press("Control+a");
  await page.getByTestId("tool-undo").focus();
  for (let i = 0; i < 5; i++) await page.keyboard.press("ArrowRight");
  await expect(page.getByTestId("tool-bold")).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(editor.locator("strong")).toHaveText("important");
  await expect(page.getByTestId("tool-bold")).toHaveAttribute("aria-pressed", "true");
});

test("an undo takes back one's own words only", async ({ openPage }) => {
  const ada = await openPage({ name: "Ada" });
  const grace = await openPage({ name: "Grace" });
  await ada.editor.click();
  await ada.type("Ada's ");
  await expect(grace.editor).toContainText("Ada's");
  await grace.editor.click();
  await grace.page.keyboard.press("End");
  await grace.type("Grace's");
  await ada.hasText("Ada's Grace's");

  await ada.page.keyboard.press("Control+z");

  await grace.hasText("Grace's");
});

test("an address that names no document says so", async ({ openPage }) => {
  const { page } = await openPage({ name: "Ada" });
  await page.evaluate(() => (location.hash = "#/d/no//document"));
  await expect(page.getByTestId("not-found")).toBeVisible();
});

test("the page fits a phone and keeps to its content security policy", async ({ openPage }, testInfo) => {
  const ada = await openPage({ name: "Ada" });
  const phone = await openPage({ name: "Grace", viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true });
  await ada.editor.click();
  await ada.type("A caret from elsewhere is coloured");
  await phone.editor.tap();
  await expect(ada.page.getByTestId("caret")).toBeVisible();
  const overflow = await phone.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(overflow).toBe(0);
  await phone.page.getByTestId("menu").tap();
  await expect(phone.page.getByTestId("new-document")).toBeInViewport();
  await phone.page.screenshot({ path: testInfo.outputPath("phone.png") });
  for (const { complaints } of [ada, phone]) expect(complaints.filter((text) => /content security policy/i.test(text))).toEqual([]);
});
