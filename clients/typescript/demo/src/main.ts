import "@fontsource-variable/inter/wght.css";
import "@fontsource-variable/inter/wght-italic.css";
import "@fontsource-variable/source-serif-4/wght.css";
import "./styles/tokens.css";
import "./styles/layout.css";
import "./styles/controls.css";
import "./styles/editor.css";
import "./styles/chat.css";
import "./styles/history.css";
import "./styles/comments.css";
import { CollabConnection } from "@collab/client";
import { createConnectionPanel, transportMode } from "./connectionPanel";
import { openDocument } from "./documentView";
import type { DocumentView } from "./documentView";
import { h } from "./dom";
import { icon } from "./icons";
import { loadIdentity, saveIdentity } from "./identity";
import { noteDocument, serverDocuments } from "./recent";
import { adoptPlainAddress, currentDocumentId, documentHref } from "./route";
import { createSidebar } from "./sidebar";

declare global {
  interface Window {
    /** The open document, for the browser's console and for tests. */
    collab: { readonly connection: CollabConnection; readonly view: DocumentView | undefined };
  }
}

/** The demo page. Its address may say `?transport=webSockets|serverSentEvents|longPolling` and `?name=`. */
adoptPlainAddress();
const parameters = new URLSearchParams(location.search);
const nameInAddress = parameters.get("name");
let identity = loadIdentity(nameInAddress);
let view: DocumentView | undefined;

const connection = new CollabConnection({
  url: new URL("hubs/collab", document.baseURI).href,
  connection: transportMode(parameters.get("transport")) ?? "auto",
});

const sidebar = createSidebar(identity, (name) => {
  identity = { ...identity, name };
  if (!nameInAddress) saveIdentity(identity);
  view?.rename(identity);
});

const { button: connectionButton, panel: connectionPanel } = createConnectionPanel(connection);
const heading = h("div", { class: "heading" });
const people = h("div", { class: "people" });
const chatButton = h("div", { class: "chat-slot" });
const commentsButton = h("div", { class: "chat-slot" });
const commentsPanel = h("div", { class: "chat-slot" });
const historyButton = h("div", { class: "chat-slot" });
const chatPanel = h("div", { class: "chat-slot" });
const tools = h("div", { class: "tools" });
const stage = h("div", { class: "stage" });

const menuButton = h(
  "button",
  { type: "button", class: "icon-button menu-button", "aria-label": "Documents and settings", "aria-controls": "sidebar", "aria-expanded": "false", "data-testid": "menu", onclick: () => setMenu(!document.body.hasAttribute("data-menu")) },
  icon("menu"),
);
const shareLabel = h("span", { class: "share-label" }, "Copy link");
const shareButton = h("button", { type: "button", class: "share", "data-testid": "share", "aria-label": "Copy link", onclick: () => void copyLink() }, icon("link", 16), shareLabel);

document.getElementById("app")!.append(
  h("a", { class: "skip", href: "#", onclick: (event) => (event.preventDefault(), view?.editor.commands.focus()) }, "Skip to the document"),
  sidebar.element,
  h("div", { class: "scrim", onclick: () => setMenu(false) }),
  h(
    "div",
    { class: "workspace" },
    h("header", { class: "topbar" }, menuButton, heading, h("div", { class: "topbar-end" }, people, historyButton, commentsButton, chatButton, connectionButton, shareButton)),
    tools,
    stage,
  ),
  chatPanel,
  commentsPanel,
  connectionPanel,
);

function show(): void {
  const documentId = currentDocumentId();
  if (view && view.documentId === documentId) return;
  view?.destroy();
  view = undefined;
  setMenu(false);
  if (documentId === undefined) return showNotFound();

  noteDocument(documentId);
  let shownTitle: string | undefined;
  const opened = openDocument(connection, documentId, identity, (title) => {
    document.title = title ? `${title} · Collab` : "Collab";
    if (title === shownTitle) return;
    shownTitle = title;
    noteDocument(documentId, title);
    sidebar.render(documentId);
  });
  view = opened;
  heading.replaceChildren(opened.title, opened.saveState, opened.words);
  people.replaceChildren(opened.presence);
  historyButton.replaceChildren(opened.history.button);
  commentsButton.replaceChildren(opened.comments.button);
  commentsPanel.replaceChildren(opened.comments.panel);
  chatButton.replaceChildren(opened.chat.button);
  chatPanel.replaceChildren(opened.chat.panel);
  tools.replaceChildren(opened.toolbar);
  stage.replaceChildren(opened.content);
  sidebar.render(documentId);
}

function showNotFound(): void {
  for (const part of [heading, people, tools, historyButton, commentsButton, commentsPanel, chatButton, chatPanel]) part.replaceChildren();
  stage.replaceChildren(
    h(
      "main",
      { class: "content empty", "data-testid": "not-found" },
      h("h1", {}, "No document has this address"),
      h("p", {}, "A document's name is made of letters, digits and . _ ~ : @ - with single slashes between its parts."),
      h("a", { class: "share", href: documentHref("welcome") }, "Open the welcome document"),
    ),
  );
  sidebar.render(undefined);
}

function setMenu(open: boolean): void {
  document.body.toggleAttribute("data-menu", open);
  menuButton.setAttribute("aria-expanded", String(open));
}

async function copyLink(): Promise<void> {
  const link = new URL(documentHref(view?.documentId ?? "welcome"), document.baseURI).href;
  const copied = await navigator.clipboard?.writeText(link).then(
    () => true,
    () => false,
  );
  shareLabel.textContent = copied ? "Copied" : link;
  setTimeout(() => (shareLabel.textContent = "Copy link"), copied ? 1_500 : 10_000);
}

window.addEventListener("hashchange", show);
window.addEventListener("keydown", (event) => event.key === "Escape" && setMenu(false));
window.addEventListener("beforeunload", (event) => {
  if ((view?.provider.hasUnsyncedChanges && view.provider.access === "write") || view?.chat.hasUnsent) event.preventDefault();
});
window.collab = {
  connection,
  get view() {
    return view;
  },
};

show();
void serverDocuments().then(sidebar.showServerDocuments);
