import { expect, test } from "../fixtures";

test("the history shows who wrote what, and brings a version back while others look on", async ({ openPage }, testInfo) => {
  const ada = await openPage({ name: "Ada" });
  const grace = await openPage({ name: "Grace" });
  const history = ada.page.getByTestId("history");
  const keep = async (): Promise<void> => {
    await ada.page.getByTestId("history-button").click();
    await ada.page.getByTestId("history-keep").click();
    await expect(ada.page.getByTestId("history-notice")).toHaveText("Kept.");
    await ada.page.getByTestId("history-close").click();
  };

  await ada.editor.click();
  await ada.type("The plan is simple.");
  await ada.isSaved();
  await keep();
  await expect(grace.editor).toContainText("The plan is simple.");
  await grace.goTo(0);
  await grace.type(" And it is mine.");
  await grace.isSaved();
  await keep();

  await ada.page.getByTestId("history-button").click();
  const page = ada.page.getByTestId("history-page");
  await expect(ada.page.getByTestId("history-when")).toContainText("2 of 2");
  await expect(page.locator("ins")).toHaveText(" And it is mine.");
  await expect(page).toHaveText("The plan is simple. And it is mine.");
  const [mine, theirs] = [await ada.page.getByTestId("history-authors").innerText(), await page.locator("ins").getAttribute("data-author")];
  expect(mine).toBe(theirs);
  await ada.page.screenshot({ path: testInfo.outputPath("history.png") });

  // Back by the keyboard, as on any slider.
  await ada.page.getByTestId("history-slider").focus();
  await ada.page.keyboard.press("ArrowLeft");
  await expect(ada.page.getByTestId("history-when")).toContainText("1 of 2");
  await expect(page).toHaveText("The plan is simple.");
  expect(await page.locator("ins").first().getAttribute("data-author")).not.toBe(theirs);

  await ada.page.getByTestId("history-name").fill("First draft");
  await ada.page.getByTestId("history-save").click();
  await expect(ada.page.getByTestId("history-when")).toContainText("First draft");
  await ada.page.getByTestId("history-restore").click();
  await expect(ada.page.getByTestId("history-notice")).toHaveText("Restored.");
  await ada.page.getByTestId("history-close").click();
  await expect(history).toBeHidden();
  await grace.hasText("The plan is simple.");
  await ada.hasText("The plan is simple.");
  expect([...ada.complaints, ...grace.complaints]).toEqual([]);
});
