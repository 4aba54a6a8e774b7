import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { CollabHost } from "../../testing/CollabHost";
import { expect, test } from "../fixtures";

test("an operator sees events that were not taken, sends them again, and enables who wanted no more", async ({ browser }) => {
  let status = 500;
  const taken: string[] = [];
  const receiver = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      if (status < 300) taken.push((JSON.parse(body) as { subject: string }).subject);
      response.writeHead(status).end();
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
  const webhook = "Collab:Events:Webhooks:0";
  const host = await CollabHost.start({
    withPage: true,
    settings: {
      [`${webhook}:Name`]: "billing",
      [`${webhook}:Url`]: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`,
      [`${webhook}:Keys:0`]: `whsec_${Buffer.alloc(32, 1).toString("base64")}`,
      [`${webhook}:AllowHttp`]: "true",
      [`${webhook}:AllowedNetworks:0`]: "127.0.0.0/8",
      [`${webhook}:Events:0`]: "channel.published",
      "Collab:Events:RetrySeconds:0": "0.1",
    },
  });
  const publish = (channel: string) =>
    fetch(`${host.url}/channels/${channel}/messages`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ event: "said", data: "hello" }),
    });
  const page = await browser.newPage();
  await page.goto(`${host.url}/admin`);
  const row = page.getByRole("row", { name: /^billing/ });
  await expect(row).toContainText("Delivering");

  await publish("orders");
  await expect(row).toContainText("Failing");
  await row.getByRole("button", { name: "Show letters" }).click();
  const letter = page.getByRole("row", { name: /collab.channel.published channels\/orders/ });
  await expect(letter).toContainText("500 Internal Server Error");
  if (process.env["COLLAB_SHOTS"]) await page.screenshot({ path: `${process.env["COLLAB_SHOTS"]}/admin-events.png` });
  status = 204;
  await letter.getByRole("button", { name: "Send again" }).click();
  await expect(page.getByRole("status")).toHaveText("1 event was delivered.");
  await expect(page.getByText("There is none any more.")).toBeVisible();
  expect(taken).toEqual(["channels/orders"]);

  status = 410;
  await publish("invoices");
  await expect(row).toContainText("Disabled");
  status = 204;
  await row.getByRole("button", { name: "Enable" }).click();
  await expect(row).toContainText("Delivering");
  await expect.poll(() => taken).toEqual(["channels/orders", "channels/invoices"]);

  await page.close();
  await host.dispose();
  receiver.close();
});
