import "@fontsource-variable/inter/wght.css";
import "../styles/tokens.css";
import "../styles/admin.css";
import { h } from "../dom";
import { EventsClient } from "./events";
import { EventsPanel } from "./eventsPanel";
import { duration } from "./format";
import { Rates } from "./rates";
import { NotAllowed, readStatus } from "./status";
import type { Status } from "./status";
import { cards, nodes, pill, rooms, slowReaders } from "./views";

/** What a node does, once a second, for those with the grant `{ "admin": true }`. The token stays in this tab. */
const tokenKey = "collab.admin.token";
const interval = 1000;

let token = sessionStorage.getItem(tokenKey) ?? undefined;
let rates = new Rates();

const state = h("div", { class: "pills" });
const about = h("p", { class: "about" });
const main = h("main", { "aria-live": "off" });
const numbers = h("div", { class: "numbers" });
const events = new EventsPanel(new EventsClient(() => token));
document.getElementById("app")?.append(
  h("header", { class: "top" }, h("a", { class: "brand", href: "/" }, "Collab"), h("h1", {}, "Administration"), state, about),
  main,
);

void follow();

async function follow(): Promise<void> {
  for (;;) {
    if (!document.hidden || main.childElementCount === 0) await refresh();
    await new Promise((resolve) => setTimeout(resolve, interval));
  }
}

async function refresh(): Promise<void> {
  try {
    show(await readStatus(token));
    await events.refresh();
  } catch (error) {
    if (error instanceof NotAllowed) await signIn(error);
    else state.replaceChildren(pill("No answer", "bad", error instanceof Error ? error.message : String(error)));
  }
}

function show(status: Status): void {
  rates.add(status);
  state.replaceChildren(
    pill("Store", status.store.isAvailable ? "good" : "bad", status.store.reason ?? "reads and writes succeed"),
    status.backplane.isShared
      ? pill("Backplane", status.backplane.isConnected ? "good" : "bad", status.backplane.isConnected ? "connected" : "away; the store makes up for it")
      : pill("Single node", "off", "no backplane is configured"),
  );
  about.textContent = `Node ${status.node.slice(0, 8)} · ${status.version.split("+")[0] ?? ""} · up ${duration(status.at - status.startedAt)}`;
  numbers.replaceChildren(cards(status, rates), nodes(status), rooms(status, rates), slowReaders(status));
  if (numbers.parentElement !== main) main.replaceChildren(numbers, events.element);
}

/** Asks for a token, and returns when there is one. */
async function signIn(why: NotAllowed): Promise<void> {
  sessionStorage.removeItem(tokenKey);
  rates = new Rates();
  state.replaceChildren();
  about.textContent = "";
  const field = h("textarea", { id: "token", rows: 4, spellcheck: "false", autocomplete: "off", required: true, "data-testid": "token" });
  await new Promise<void>((resolve) => {
    const submit = (event: Event) => {
      event.preventDefault();
      const given = field.value.trim();
      if (given === "") return;
      token = given;
      sessionStorage.setItem(tokenKey, given);
      resolve();
    };
    main.replaceChildren(
      h(
        "form",
        { class: "sign-in", onsubmit: submit },
        h("h2", {}, why.status === 401 ? "Sign in" : "You may not administer this server"),
        h("p", {}, "Paste a token whose grants say ", h("code", {}, '{ "admin": true }'), ". It stays in this tab."),
        h("label", { for: "token" }, "Token"),
        field,
        h("button", { type: "submit", class: "primary" }, "Continue"),
      ),
    );
    field.focus();
  });
  main.replaceChildren();
}
