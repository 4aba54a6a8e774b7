import { CollabProvider, Comments } from "@collab/client";
import type { CollabConnection } from "@collab/client";
import type { Editor } from "@tiptap/core";
import { isChangeOrigin } from "@tiptap/extension-collaboration";
import * as Y from "yjs";
import { openChat } from "./chat";
import type { Chat } from "./chat";
import { createComments } from "./commentsPanel";
import type { CommentsPanel } from "./commentsPanel";
import { readableName } from "./documentId";
import { h } from "./dom";
import { caretUser, createEditor, refreshCarets, titleOf, wordCount } from "./editor";
import type { Identity } from "./identity";
import { createHistory } from "./history";
import type { History } from "./history";
import { createPresence } from "./presence";
import { createSaveState } from "./saveState";
import { createToolbar } from "./toolbar";

/** How long a lost connection goes unmentioned, in milliseconds: most come back at once. */
const BANNER_DELAY = 1_500;

/** How long a new first line rests before the others are told of it, in milliseconds. */
const TITLE_DELAY = 3_000;

/** One open document: its provider, its editor and what is shown around them. */
export interface DocumentView {
  readonly documentId: string;
  readonly provider: CollabProvider;
  readonly editor: Editor;
  /** For the top bar. */
  readonly title: HTMLElement;
  readonly saveState: HTMLElement;
  readonly words: HTMLElement;
  readonly presence: HTMLElement;
  readonly toolbar: HTMLElement;
  readonly content: HTMLElement;
  readonly chat: Chat;
  readonly history: History;
  readonly comments: CommentsPanel;
  rename(identity: Identity): void;
  destroy(): void;
}

export function openDocument(
  connection: CollabConnection,
  documentId: string,
  identity: Identity,
  onTitle: (title: string) => void,
): DocumentView {
  const doc = new Y.Doc();
  const provider = new CollabProvider(connection, documentId, doc);
  const paper = h("div", { class: "paper" });
  const stored = new Comments(doc);
  const editor = createEditor(paper, provider, identity, stored);
  const comments = createComments(stored, editor, identity, () => provider.access === "write");
  const chat = openChat(connection, documentId, identity);
  const history = createHistory(documentId, () => provider.access === "write");
  const presence = createPresence(provider.awareness);
  const banner = h("div", { class: "banner", role: "alert", hidden: true, "data-testid": "banner" });
  const words = h("span", { class: "words", "data-testid": "words" });
  const title = h("h1", { class: "title", "data-testid": "title" }, readableName(documentId));
  const content = h("main", { class: "content", "data-loading": true }, banner, skeleton(), paper);

  const showTitle = (): void => {
    const text = titleOf(editor);
    title.textContent = text || readableName(documentId);
    const count = wordCount(editor);
    words.textContent = count === 1 ? "1 word" : `${count.toLocaleString()} words`;
    onTitle(text);
  };
  const showAccess = (): void => {
    const mayWrite = provider.synced && provider.access === "write";
    if (editor.isEditable !== mayWrite) editor.setEditable(mayWrite);
  };
  const showSynced = (synced: boolean): void => {
    if (!synced) return;
    content.removeAttribute("data-loading");
    showAccess();
    showTitle();
  };

  let titleTimer: ReturnType<typeof setTimeout> | undefined;
  let announced: string | undefined;
  const announceTitle = (): void => {
    const text = titleOf(editor);
    if (text && text !== announced) chat.titled(text);
    announced = text;
  };

  let bannerTimer: ReturnType<typeof setTimeout> | undefined;
  const showBanner = (text: string | undefined): void => {
    banner.textContent = text ?? "";
    banner.hidden = text === undefined;
  };
  const showStatus = (): void => {
    clearTimeout(bannerTimer);
    if (provider.status === "connected") return showBanner(undefined);
    bannerTimer = setTimeout(
      () => showBanner(provider.doc.store.clients.size > 0 ? "You are offline. Keep writing: your changes are kept in this tab and saved when the connection is back." : "Cannot reach the server. Trying again by itself…"),
      BANNER_DELAY,
    );
  };

  provider.on("synced", showSynced);
  provider.on("access", showAccess);
  provider.on("status", showStatus);
  provider.on("closed", ({ reason }) => {
    clearTimeout(bannerTimer);
    editor.setEditable(false);
    showBanner(CLOSED[reason] ?? "The server closed this document.");
  });
  provider.on("error", ({ code, message }) => {
    if (code === "invalid_update" || code === "too_large" || code === "forbidden") showBanner(`The server refused a change: ${message}`);
  });
  let caretFrame = 0;
  const showCarets = (): void => {
    cancelAnimationFrame(caretFrame);
    caretFrame = requestAnimationFrame(() => refreshCarets(provider, editor));
  };
  provider.awareness.on("change", showCarets);
  editor.on("transaction", showCarets);
  editor.on("update", showTitle);
  editor.on("transaction", ({ transaction }) => {
    if (!transaction.docChanged) return;
    // What others changed they announce themselves.
    if (isChangeOrigin(transaction)) return void (titleTimer === undefined && (announced = titleOf(editor)));
    clearTimeout(titleTimer);
    titleTimer = setTimeout(() => {
      titleTimer = undefined;
      announceTitle();
    }, TITLE_DELAY);
  });
  showStatus();

  return {
    documentId,
    provider,
    editor,
    title,
    saveState: createSaveState(provider),
    words,
    presence: presence.element,
    toolbar: createToolbar(editor),
    content,
    chat,
    history,
    comments,
    rename: (next) => {
      comments.rename(next);
      editor.commands.updateUser(caretUser(provider, next));
      chat.rename(next);
    },
    destroy: () => {
      clearTimeout(bannerTimer);
      clearTimeout(titleTimer);
      chat.destroy();
      history.destroy();
      comments.destroy();
      stored.destroy();
      presence.destroy();
      provider.awareness.off("change", showCarets);
      cancelAnimationFrame(caretFrame);
      editor.destroy();
      provider.destroy();
      doc.destroy();
    },
  };
}

const CLOSED: Readonly<Record<string, string>> = {
  forbidden: "You have no access to this document.",
  deleted: "This document was deleted.",
  invalid_name: "This is not the address of a document.",
};

function skeleton(): HTMLElement {
  return h("div", { class: "skeleton", "aria-hidden": "true" }, ...Array.from({ length: 6 }, () => h("span")));
}
