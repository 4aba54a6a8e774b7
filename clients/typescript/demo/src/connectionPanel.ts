import type { CollabConnection, Transport, TransportMode } from "@collab/client";
import { h } from "./dom";
import { icon } from "./icons";

const TRANSPORT_NAMES: Record<Transport, string> = {
  webSockets: "WebSocket",
  serverSentEvents: "Server-sent events",
  longPolling: "Long polling",
};

const MODES: readonly { readonly mode: TransportMode; readonly name: string; readonly about: string }[] = [
  { mode: "auto", name: "Automatic", about: "The best one this network lets through" },
  { mode: "webSockets", name: TRANSPORT_NAMES.webSockets, about: "One socket, both ways" },
  { mode: "serverSentEvents", name: TRANSPORT_NAMES.serverSentEvents, about: "A stream down, requests up" },
  { mode: "longPolling", name: TRANSPORT_NAMES.longPolling, about: "Plain requests, passes any proxy" },
];

/** The transport mode that a text names; undefined when none. */
export function transportMode(text: string | null): TransportMode | undefined {
  return MODES.find(({ mode }) => mode === text)?.mode;
}

/** The pill with the connection's state and transport, which opens the choice of transports. */
export function createConnectionPanel(connection: CollabConnection): { button: HTMLElement; panel: HTMLElement } {
  const label = h("span", { class: "pill-label" });
  const button = h(
    "button",
    { type: "button", class: "pill", popovertarget: "connection-panel", "data-testid": "connection", "aria-label": "Connection" },
    h("span", { class: "status-dot" }),
    label,
    icon("chevron", 14),
  );
  const detail = h("p", { class: "panel-detail" });
  const options = MODES.map(({ mode, name, about }) => {
    const input = h("input", {
      type: "radio",
      name: "transport",
      value: mode,
      "data-testid": `transport-${mode}`,
      onchange: () => {
        connection.mode = mode;
      },
    });
    input.checked = mode === connection.mode;
    return h("label", { class: "option" }, input, h("span", { class: "option-text" }, h("span", { class: "option-name" }, name), h("span", { class: "option-about" }, about)));
  });
  const panel = h(
    "div",
    { id: "connection-panel", class: "panel", popover: "auto", role: "dialog", "aria-label": "Connection", "data-testid": "connection-panel" },
    h("h2", { class: "panel-title" }, "Connection"),
    detail,
    h("fieldset", { class: "options" }, h("legend", {}, "Transport"), ...options),
  );

  const render = (): void => {
    const { status, transport, protocol } = connection;
    button.dataset["status"] = status;
    button.dataset["transport"] = transport ?? "";
    const connected = status === "connected" && transport;
    label.textContent = connected ? TRANSPORT_NAMES[transport] : "Connecting";
    detail.textContent = connected
      ? `Connected over ${TRANSPORT_NAMES[transport]} with ${protocol === "json" ? "JSON" : "MessagePack"}.`
      : "Not connected. Trying again by itself; nothing you write is lost while this page is open.";
    button.setAttribute("aria-label", `Connection: ${label.textContent}`);
  };
  connection.on("status", render);
  render();
  return { button, panel };
}
