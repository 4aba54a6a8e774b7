import { setTimeout as wait } from "node:timers/promises";
import { expect, test } from "vitest";
import type { CollabConnection, CollabError } from "../src/index.js";
import { tokenOf } from "../../../testing/CollabHost.js";
import { append, as, connect, faultyNetwork, followed, hubUrl, newChannel, newDocument, opened, text, TRANSPORTS, until } from "./clients.js";

const ALL = ["read", "write", "subscribe", "publish", "presence"];
/** How many seconds a token holds that is renewed within a test. */
const SHORT = 3;

/** What a connection went through. */
function watch(connection: CollabConnection): { readonly statuses: string[]; readonly errors: string[] } {
  const [statuses, errors] = [[] as string[], [] as string[]];
  connection.on("status", ({ status }) => statuses.push(status));
  connection.on("error", ({ code }: CollabError) => errors.push(code));
  return { statuses, errors };
}

/** Takes access away, as an administrator does. */
async function revoke(body: object): Promise<void> {
  const headers = { Authorization: `Bearer ${tokenOf("root", ["admin"])}`, "Content-Type": "application/json" };
  const response = await fetch(new URL("/admin/revocations", hubUrl()), { method: "POST", headers, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
}

test.each(TRANSPORTS)("a_token_is_renewed_before_it_expires_without_losing_a_keystroke_over_%s", async (transport) => {
  let issued = 0;
  const id = newDocument();
  const ada = await opened(connect({ connection: transport, accessTokenFactory: () => (issued++, tokenOf("ada", ALL, SHORT)) }), id);
  const grace = await opened(connect(), id);
  const { statuses, errors } = watch(ada.connection);
  const tokensAtFirst = issued;

  let typed = "";
  for (const end = Date.now() + 2.2 * SHORT * 1000; Date.now() < end; await wait(20)) {
    const letter = String.fromCharCode(97 + (typed.length % 26));
    append(ada, letter);
    typed += letter;
  }

  await until(() => text(grace).toString() === typed && !ada.hasUnsyncedChanges);
  expect(statuses).toEqual([]);
  expect(errors).toEqual([]);
  expect(issued).toBeGreaterThan(tokensAtFirst + 1);
});

test.each(TRANSPORTS)("no_token_stands_in_an_address_over_%s", async (transport) => {
  const network = await faultyNetwork();
  const token = tokenOf("ada", ALL, SHORT);
  const ada = await opened(connect({ url: network.hubUrl, connection: transport, accessTokenFactory: () => token }), newDocument());
  append(ada, "a letter");
  await until(() => !ada.hasUnsyncedChanges);
  await until(() => network.addresses.some((address) => address.includes("/refresh")));

  expect(network.addresses.length).toBeGreaterThanOrEqual(3);
  expect(network.addresses.filter((address) => address.includes(token) || address.includes("access_token"))).toEqual([]);
});

test.each(TRANSPORTS)("a_token_that_is_refused_is_replaced_by_a_fresh_one_over_%s", async (transport) => {
  const tokens = [tokenOf("ada", ALL, -60), tokenOf("ada")];
  const ada = connect({ connection: transport, accessTokenFactory: () => tokens.shift() ?? tokenOf("ada") });
  const { errors } = watch(ada);
  await until(() => ada.status === "connected");
  expect(errors).toEqual([]);
});

test("a_renewed_token_narrows_and_widens_what_its_user_may_do_at_once", async () => {
  let access = ALL;
  const id = newDocument();
  const ada = await opened(connect({ accessTokenFactory: () => tokenOf("ada", access, SHORT) }), id);
  const grace = await opened(connect(), id);
  const { statuses } = watch(ada.connection);
  const told: string[] = [];
  ada.on("access", (now) => told.push(now));

  access = ["read"];
  await until(() => ada.access === "read");
  append(ada, "kept to herself");
  access = ALL;
  await until(() => ada.access === "write");

  await until(() => text(grace).toString() === "kept to herself" && !ada.hasUnsyncedChanges);
  expect(told).toEqual(["read", "write"]);
  expect(statuses).toEqual([]);
});

test("what_a_renewed_token_forbids_is_closed", async () => {
  let access = ALL;
  const connection = connect({ accessTokenFactory: () => tokenOf("ada", access, SHORT) });
  const ada = await opened(connection, newDocument());
  const refused: string[] = [];
  await followed(connection.channel(newChannel()), { onClosed: ({ code }) => refused.push(code) });
  const closed: string[] = [];
  ada.on("closed", ({ reason }) => closed.push(reason));

  access = [];
  await until(() => closed.length > 0 && refused.length > 0);

  expect(closed).toEqual(["forbidden"]);
  expect(refused).toEqual(["forbidden"]);
  expect(connection.status).toBe("connected");
});

test("without_a_fresh_token_the_connection_ends_with_the_old_one_and_comes_back_with_the_next", async () => {
  let mayHaveOne = true;
  const factory = (): string => {
    if (!mayHaveOne) throw new Error("signed out");
    return tokenOf("ada", ALL, SHORT);
  };
  const ada = await opened(connect({ accessTokenFactory: factory }), newDocument());
  const { statuses, errors } = watch(ada.connection);

  mayHaveOne = false;
  await until(() => statuses.includes("disconnected"));
  expect(errors[0]).toBe("unauthorized");
  append(ada, "written meanwhile");
  mayHaveOne = true;

  await until(() => ada.synced && !ada.hasUnsyncedChanges);
});

test("a_revoked_document_and_channel_close_at_once", async () => {
  const [id, name] = [newDocument(), newChannel()];
  const connection = connect(as("ada"));
  const ada = await opened(connection, id);
  const refused: string[] = [];
  await followed(connection.channel(name), { onClosed: ({ code }) => refused.push(code) });
  const closed: string[] = [];
  ada.on("closed", ({ reason }) => closed.push(reason));

  await revoke({ document: id });
  await revoke({ channel: name });

  await until(() => closed.length > 0 && refused.length > 0, 1_000);
  expect(closed).toEqual(["forbidden"]);
  expect(refused).toEqual(["forbidden"]);
});
