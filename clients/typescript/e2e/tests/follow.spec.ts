import { randomUUID } from "node:crypto";
import type { Page, Request } from "@playwright/test";
import { expect, test as base } from "../fixtures";
import { FaultyNetwork } from "../../testing/FaultyNetwork";
import type { CollabHost } from "../../testing/CollabHost";

/** The page that follows a channel with a bare EventSource, behind a network that can be cut. */
class FollowPage {
  /** The streams that the browser asked for. */
  readonly requests: Request[] = [];

  constructor(
    readonly page: Page,
    readonly network: FaultyNetwork,
    readonly channel: string,
    private readonly host: CollabHost,
  ) {
    page.on("request", (request) => request.url().includes("/events") && this.requests.push(request));
  }

  async open(): Promise<void> {
    await this.page.goto(`${this.network.url}/follow.html?channel=${encodeURIComponent(this.channel)}`);
    await this.isFollowing();
  }

  async isFollowing(): Promise<void> {
    await expect(this.page.locator("#state")).toHaveText(`Following ${this.channel}`);
  }

  async isCutOff(): Promise<void> {
    await expect(this.page.locator("#state")).toHaveText(/^Cut off/);
  }

  /** Publishes a message per number. @returns their positions. */
  async publish(from: number, to: number): Promise<string[]> {
    const messages = Array.from({ length: to - from + 1 }, (_, i) => ({ event: "chat", data: from + i }));
    const response = await fetch(`${this.host.url}/channels/${encodeURIComponent(this.channel)}/messages`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(messages),
    });
    return ((await response.json()) as { positions: string[] }).positions;
  }

  /** Waits until the page shows these messages, each once and in order. */
  async shows(positions: readonly string[]): Promise<void> {
    await expect(this.page.locator("li")).toHaveText(positions.map((position, i) => `${position} chat ${i + 1}`));
  }

  /** What the last stream was asked for with. */
  async lastEventId(): Promise<string | undefined> {
    return (await this.requests.at(-1)!.allHeaders())["last-event-id"];
  }
}

const test = base.extend<{ follower: FollowPage }>({
  follower: async ({ page, host }, use) => {
    const network = await FaultyNetwork.to(host.port);
    const follower = new FollowPage(page, network, `e2e:${randomUUID()}`, host);
    await follower.open();
    await use(follower);
    await page.close();
    await network.dispose();
  },
});

test("a bare EventSource gets what is published, and what was published before", async ({ follower }) => {
  const positions = await follower.publish(1, 3);
  await follower.shows(positions);
  await follower.page.reload();
  await follower.shows(positions);
});

test("after a cut it says the last id and gets what it missed once and in order", async ({ follower }) => {
  const positions = await follower.publish(1, 3);
  await follower.shows(positions);

  for (let round = 0; round < 2; round++) {
    follower.network.cut();
    await follower.isCutOff();
    const last = positions.at(-1);
    positions.push(...(await follower.publish(positions.length + 1, positions.length + 20)));
    follower.network.restore();

    await follower.shows(positions);
    await expect.poll(() => follower.lastEventId()).toBe(last);
  }
  positions.push(...(await follower.publish(positions.length + 1, positions.length + 1)));
  await follower.shows(positions);
});

test("a page without network comes back by itself", async ({ follower, context }) => {
  const positions = await follower.publish(1, 2);
  await follower.shows(positions);
  await context.setOffline(true);
  follower.network.cut();
  await follower.isCutOff();
  positions.push(...(await follower.publish(3, 12)));
  follower.network.restore();
  await context.setOffline(false);
  await follower.shows(positions);
  expect(await follower.lastEventId()).toBe(positions[1]);
});

test("a cut before the first message loses nothing either", async ({ follower }) => {
  follower.network.cut();
  await follower.isCutOff();
  const positions = await follower.publish(1, 40);
  follower.network.restore();
  await follower.shows(positions);
  expect(await follower.lastEventId()).toMatch(/-0$/);
});

for (const signal of ["SIGKILL", "SIGTERM"] as const)
  test(`a server that is ended by ${signal} and started again loses and doubles nothing`, async ({ follower, host }) => {
    const positions = await follower.publish(1, 5);
    await follower.shows(positions);
    await host.kill(signal);
    await follower.isCutOff();
    await host.start();
    positions.push(...(await follower.publish(6, 30)));
    await follower.isFollowing();
    await follower.shows(positions);
    expect(await follower.lastEventId()).toBe(positions[4]);
  });

test("the page keeps to its content security policy", async ({ page, follower }) => {
  const complaints: string[] = [];
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  await page.reload();
  await follower.isFollowing();
  expect(complaints).toEqual([]);
});
