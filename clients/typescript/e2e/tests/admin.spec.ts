import type { Page } from "@playwright/test";
import { adminTokenOf, CollabHost, tokenOf } from "../../testing/CollabHost";
import { expect, test } from "../fixtures";

test("shows what the server does", async ({ host, openPage, documentId, browser }) => {
  const ada = await openPage({ name: "Ada" });
  await openPage({ name: "Ben", transport: "longPolling" });
  const page = await browser.newPage();
  const complaints: string[] = [];
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  await page.goto(`${host.url}/admin`);

  await ada.editor.click();
  await ada.type("Hello from the editor");

  await expect(page.getByRole("row", { name: new RegExp(`^${documentId} document`) })).toContainText("2");
  await expect(card(page, "Connections")).toContainText("1 WebSocket");
  await expect(card(page, "Connections")).toContainText("1 Long polling");
  await expect(card(page, "Updates")).toContainText(/[1-9]\d* committed/);
  await expect(page.locator(".pill", { hasText: "Store" })).toHaveAttribute("data-state", "good");
  expect(complaints).toEqual([]);
  if (process.env["COLLAB_SHOTS"]) await page.screenshot({ path: `${process.env["COLLAB_SHOTS"]}/admin.png` });
  await page.close();
});

test("asks who does not administer for a token", async ({ browser }) => {
  const host = await CollabHost.start({ withPage: true, settings: { environment: "Production" } });
  const page = await browser.newPage();
  await page.goto(`${host.url}/admin`);
  await expect(page.getByRole("heading", { name: "Sign in" })).toBeVisible();

  await page.getByTestId("token").fill(tokenOf("ada"));
  await page.getByRole("button", { name: "Continue" }).click();
  await expect(page.getByRole("heading", { name: "You may not administer this server" })).toBeVisible();

  await page.getByTestId("token").fill(adminTokenOf("root"));
  await page.getByRole("button", { name: "Continue" }).click();
  await expect(card(page, "Connections")).toBeVisible();
  await page.close();
  await host.dispose();
});

function card(page: Page, name: string) {
  return page.getByRole("article").filter({ has: page.getByRole("heading", { name }) });
}
