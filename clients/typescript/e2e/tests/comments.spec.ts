import { expect, test } from "../fixtures";

test("a comment stays at its words while others write, is answered and resolved", async ({ openPage }, testInfo) => {
  const ada = await openPage({ name: "Ada" });
  const grace = await openPage({ name: "Grace" });
  await ada.editor.click();
  await ada.type("The plan is simple.");
  await grace.hasText("The plan is simple.");

  // Without a selection there is nothing to comment on.
  await ada.page.getByTestId("comments-button").click();
  await ada.page.getByTestId("comment-input").fill("Is it?");
  await ada.page.getByTestId("comment-add").click();
  await expect(ada.page.getByTestId("comments-notice")).toHaveText("Select the text that it is about first.");
  await ada.editor.click();
  await ada.page.keyboard.press("End");
  await ada.page.keyboard.press("ArrowLeft");
  for (let i = 0; i < "simple".length; i++) await ada.page.keyboard.press("Shift+ArrowLeft");
  await ada.page.getByTestId("comment-add").click();
  const marks = [ada, grace].map(({ page }) => page.getByTestId("comment-mark"));
  for (const mark of marks) await expect(mark).toHaveText("simple");
  await expect(grace.page.getByTestId("comments-count")).toHaveText("1");

  // What is written around the words is not part of them; what is written amidst is.
  await grace.goTo(0);
  await grace.page.keyboard.press("Home");
  await grace.type("I say: ");
  await grace.page.keyboard.press("End");
  await grace.type(" Or not.");
  for (const mark of marks) await expect(mark).toHaveText("simple");

  await grace.page.getByTestId("comments-button").click();
  await expect(grace.page.getByTestId("comment")).toContainText("Is it?");
  await grace.page.getByTestId("comment-reply").fill("It is.");
  await grace.page.keyboard.press("Enter");
  await expect(ada.page.getByTestId("comment")).toContainText("It is.");
  await ada.page.screenshot({ path: testInfo.outputPath("comments.png") });

  await ada.page.reload();
  await ada.isSaved();
  await expect(ada.page.getByTestId("comment-mark")).toHaveText("simple");
  await grace.page.getByTestId("comment-resolve").click();
  await expect(ada.page.getByTestId("comment-mark")).toHaveCount(0);
  await expect(grace.page.getByTestId("comments-count")).toBeHidden();
  await ada.page.getByTestId("comments-button").click();
  await ada.page.getByTestId("comment-delete").click();
  await expect(grace.page.getByTestId("comment")).toHaveCount(0);
  await grace.hasText("I say: The plan is simple. Or not.");
  expect([...ada.complaints, ...grace.complaints]).toEqual([]);
});
