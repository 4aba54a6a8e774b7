import { execFileSync, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Page } from "@playwright/test";
import { freePort } from "../../testing/CollabHost";
import { Postgres } from "../../testing/Postgres";
import { expect, test } from "../fixtures";

const PROJECT = join(dirname(fileURLToPath(import.meta.url)), "../../../dotnet/Collab.LiveTable");
const PROGRAM = join(PROJECT, "bin/Release/net10.0/Collab.LiveTable.dll");

test("a table shows at once what its own form, other windows and psql change, also after the server was away", async ({ browser }) => {
  if (!existsSync(PROGRAM)) execFileSync("dotnet", ["build", PROJECT, "-c", "Release", "-v", "quiet", "-nodeReuse:false"], { stdio: ["ignore", "inherit", "inherit"] });
  const postgres = await Postgres.start("wal_level=logical");
  const folder = mkdtempSync(join(tmpdir(), "collab-live-"));
  const url = `http://127.0.0.1:${await freePort()}`;
  const start = () =>
    spawn("dotnet", [PROGRAM, "--urls", url, `--Collab:DataDirectory=${folder}`, `--ConnectionStrings:Postgres=${postgres.connectionString}`], { stdio: "ignore" });
  let server = start();
  await untilReady(url);
  const [ada, ben] = [await browser.newPage(), await browser.newPage()];
  const complaints: string[] = [];
  ada.on("pageerror", (error) => complaints.push(error.message));
  for (const page of [ada, ben]) {
    await page.goto(url);
    await expect(page.getByRole("status")).toHaveText("Live");
  }

  await ada.getByLabel("New task").fill("<b>Write</b> the tests");
  await ada.getByRole("button", { name: "Add" }).click();
  await expect.poll(() => titles(ada)).toEqual(["<b>Write</b> the tests"]);
  postgres.run("INSERT INTO tasks (title) SELECT 'Task ' || n FROM generate_series(1, 3) n");
  for (const page of [ada, ben]) await expect.poll(() => titles(page)).toEqual(["<b>Write</b> the tests", "Task 1", "Task 2", "Task 3"]);

  await ben.getByLabel("Task 1 is done").check();
  await expect(ada.getByLabel("Task 1 is done")).toBeChecked();
  await ada.getByRole("button", { name: "Delete task 2" }).click();
  await expect.poll(() => titles(ben)).toEqual(["<b>Write</b> the tests", "Task 2", "Task 3"]);
  if (process.env["COLLAB_SHOTS"]) await ada.screenshot({ path: `${process.env["COLLAB_SHOTS"]}/live-table.png` });

  await kill(server);
  postgres.run("UPDATE tasks SET title = 'Changed while nobody looked' WHERE id = 3; DELETE FROM tasks WHERE id = 4");
  server = start();
  for (const page of [ada, ben]) await expect.poll(() => titles(page), { timeout: 30_000 }).toEqual(["<b>Write</b> the tests", "Changed while nobody looked"]);

  postgres.run("TRUNCATE tasks");
  await expect(ada.getByText("There is no task yet.")).toBeVisible();
  expect(complaints).toEqual([]);
  for (const page of [ada, ben]) await page.close();
  await kill(server);
  await postgres.dispose();
  rmSync(folder, { recursive: true, force: true });
});

function titles(page: Page): Promise<string[]> {
  return page.locator("#rows td:nth-child(2)").allTextContents();
}

async function untilReady(url: string): Promise<void> {
  const isReady = async () => (await fetch(`${url}/health/ready`).catch(() => undefined))?.ok === true;
  await expect.poll(isReady, { timeout: 60_000 }).toBe(true);
}

async function kill(server: ChildProcess): Promise<void> {
  const ended = new Promise((resolve) => server.once("exit", resolve));
  server.kill("SIGKILL");
  await ended;
}
