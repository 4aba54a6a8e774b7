import type { Child } from "../dom";
import { h } from "../dom";
import { bytes, count } from "./format";
import type { Rates } from "./rates";
import type { Load, Status } from "./status";

const svg = "http://www.w3.org/2000/svg";

const transports: Readonly<Record<string, string>> = {
  websockets: "WebSocket",
  server_sent_events: "SSE",
  long_polling: "Long polling",
  event_source: "EventSource",
  y_websocket: "y-websocket",
  hocuspocus: "Hocuspocus",
};

/** The numbers at the top. */
export function cards(status: Status, rates: Rates): HTMLElement {
  const byTransport = Object.entries(status.transports).map(([name, value]) => `${count(value)} ${transports[name] ?? name}`);
  return h(
    "section",
    { class: "cards", "aria-label": "Now" },
    card("Connections", count(status.load.connections), byTransport.join(" · ") || "nobody is here", rates.of("connections")),
    card("Updates", `${count(last(rates.of("updates")))}/s`, `${count(status.load.updates)} committed`, rates.of("updates")),
    card("Messages", `${count(last(rates.of("messages")))}/s`, `${count(status.load.messages)} committed`, rates.of("messages")),
    card("Deliveries", `${count(last(rates.of("deliveries")))}/s`, `${bytes(status.waitingBytes)} waiting`, rates.of("deliveries")),
    card("Memory", bytes(status.memoryBytes), "resident", rates.of("memory")),
    card("Store", bytes(status.store.bytes), status.store.isAvailable ? "available" : (status.store.reason ?? "away"), rates.of("store")),
  );
}

/** All nodes, this one first. */
export function nodes(status: Status): HTMLElement {
  const row = (id: string, where: string, load: Load) => [
    h("code", {}, id.slice(0, 8)),
    where,
    number(load.connections),
    number(load.documents),
    number(load.channels),
    number(load.deliveries),
  ];
  return table(
    "Nodes",
    "This server is alone. With a Redis and a Postgres in common, others would be listed here.",
    ["Node", "Address", "Connections", "Documents", "Channels", "Deliveries"],
    status.backplane.isShared
      ? [row(status.node, "this node", status.load), ...status.nodes.map((one) => row(one.node, one.address, one.load))]
      : [],
  );
}

/** Open documents and channels. */
export function rooms(status: Status, rates: Rates): HTMLElement {
  return table(
    "Live rooms",
    "No document and no channel is open.",
    ["Room", "", "Members", "Per second", "Entries", "Size"],
    status.rooms.map((room) => [
      room.name,
      h("span", { class: `kind kind-${room.kind}` }, room.kind),
      number(room.members),
      number(rates.ofRoom(room.kind, room.name)),
      number(room.offset),
      h("span", { class: "number" }, bytes(room.bytes)),
    ]),
  );
}

/** Who cannot keep up. */
export function slowReaders(status: Status): HTMLElement {
  return table(
    "Slow readers",
    "Everybody keeps up.",
    ["User", "Transport", "Waiting", "Rooms behind", "Connection"],
    status.slowReaders.map((reader) => [
      reader.user ?? "unknown",
      transports[reader.transport] ?? reader.transport,
      h("span", { class: "number" }, bytes(reader.waitingBytes)),
      number(reader.behind),
      h("code", {}, reader.connection.slice(0, 8)),
    ]),
  );
}

/** Says whether something works. */
export function pill(label: string, state: "good" | "bad" | "off", explanation: string): HTMLElement {
  return h("span", { class: `pill pill-${state}`, title: explanation, "data-state": state }, label);
}

function card(label: string, value: string, note: string, values: readonly number[]): HTMLElement {
  return h(
    "article",
    { class: "card" },
    h("h2", {}, label),
    h("p", { class: "value" }, value),
    h("p", { class: "note", title: note }, note),
    sparkline(values),
  );
}

function sparkline(values: readonly number[]): Node {
  const picture = document.createElementNS(svg, "svg");
  picture.setAttribute("viewBox", "0 0 120 32");
  picture.setAttribute("preserveAspectRatio", "none");
  picture.setAttribute("aria-hidden", "true");
  const most = Math.max(...values, 1);
  const points = values.map((value, i) => `${((120 * (60 - values.length + i)) / 59).toFixed(1)},${(30 - (28 * value) / most).toFixed(1)}`);
  const first = points[0];
  if (first === undefined) return picture;
  const area = document.createElementNS(svg, "polygon");
  area.setAttribute("points", `${first.split(",")[0] ?? 0},32 ${points.join(" ")} 120,32`);
  const line = document.createElementNS(svg, "polyline");
  line.setAttribute("points", points.join(" "));
  picture.append(area, line);
  return picture;
}

/** A titled table; what there is to say where it has no row. */
export function table(title: string, empty: string, columns: readonly string[], rows: readonly (readonly Child[])[]): HTMLElement {
  return h(
    "section",
    { class: "panel" },
    h("h2", {}, title, rows.length > 0 && h("span", { class: "amount" }, String(rows.length))),
    rows.length === 0
      ? h("p", { class: "empty" }, empty)
      : h(
          "div",
          { class: "scroll" },
          h(
            "table",
            {},
            h("thead", {}, h("tr", {}, ...columns.map((column) => h("th", { scope: "col" }, column)))),
            h("tbody", {}, ...rows.map((cells) => h("tr", {}, ...cells.map((cell) => h("td", {}, cell))))),
          ),
        ),
  );
}

/** A number, set as such. */
export function number(value: number): HTMLElement {
  return h("span", { class: "number" }, count(value));
}

function last(values: readonly number[]): number {
  return values[values.length - 1] ?? 0;
}
