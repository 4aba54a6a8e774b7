import type { Editor } from "@tiptap/core";
import type { Comment, CommentAuthor, Comments, CommentText } from "@collab/client";
import { rangeOf, selectedPlace } from "./commentMarks";
import { h } from "./dom";
import { icon } from "./icons";
import { initials } from "./identity";
import type { Identity } from "./identity";

/** The comments of one document: a button with the number of open ones, and the panel that it opens. */
export interface CommentsPanel {
  readonly button: HTMLElement;
  readonly panel: HTMLElement;
  rename(identity: Identity): void;
  destroy(): void;
}

/** The longest text of a comment, in characters. */
const MAX_TEXT_LENGTH = 2_000;

/** How much of the text that a comment is about is shown, in characters. */
const MAX_QUOTE = 80;

export function createComments(comments: Comments, editor: Editor, identity: Identity, mayWrite: () => boolean): CommentsPanel {
  let me = authorOf(identity);
  const count = h("span", { class: "chat-badge", hidden: true, "data-testid": "comments-count" });
  const list = h("div", { class: "comments-list", "data-testid": "comments-list" });
  const input = textInput("Comment on the selected text", "comment-input");
  const notice = h("p", { class: "comments-notice", role: "status", "data-testid": "comments-notice" });
  const form = h("form", { class: "comments-form", onsubmit: (event) => (event.preventDefault(), add()) }, input, h("button", { type: "submit", class: "history-save", "data-testid": "comment-add" }, "Comment"));
  const panel = h(
    "aside",
    { class: "chat comments", id: "comments", "aria-label": "Comments", hidden: true, "data-testid": "comments" },
    h(
      "header",
      { class: "chat-head" },
      h("h2", { class: "chat-title" }, "Comments"),
      h("button", { type: "button", class: "icon-button", "aria-label": "Close comments", "data-testid": "comments-close", onclick: () => setOpen(false) }, icon("close")),
    ),
    list,
    h("div", { class: "comments-compose" }, notice, form),
  );
  const button = h("button", { type: "button", class: "icon-button chat-button", "aria-label": "Comments", title: "Comments", "aria-controls": "comments", "data-testid": "comments-button", onclick: () => setOpen(panel.hidden) }, icon("comment", 20), count);
  panel.addEventListener("keydown", (event) => event.key === "Escape" && setOpen(false));

  function setOpen(open: boolean): void {
    panel.hidden = !open;
    button.setAttribute("aria-expanded", String(open));
    if (open) render();
  }

  function add(): void {
    const place = selectedPlace(editor);
    const text = input.value.trim();
    notice.textContent = !mayWrite() ? "You may only read this document." : !place ? "Select the text that it is about first." : "";
    if (!mayWrite() || !place || !text) return;
    comments.add({ ...place, author: me, text });
    input.value = "";
  }

  function render(): void {
    const all = comments.all().filter(({ kind }) => kind === "comment");
    const open = all.filter(({ isResolved }) => !isResolved);
    count.hidden = open.length === 0;
    count.textContent = String(open.length);
    if (panel.hidden) return;
    // What is being written in an answer must not go when somebody else writes.
    const drafts = new Map([...list.querySelectorAll<HTMLInputElement>("input")].map((draft) => [draft.dataset["comment"], draft]));
    const focused = document.activeElement;
    list.replaceChildren(...(all.length === 0 ? [h("p", { class: "chat-empty" }, "No comments yet. Select some text and write one.")] : all.map((comment) => entry(comment, drafts.get(comment.id)))));
    if (focused instanceof HTMLInputElement && list.contains(focused)) focused.focus();
  }

  function entry(comment: Comment, draft: HTMLInputElement | undefined): HTMLElement {
    const range = rangeOf(editor.state, comment);
    const quote = range ? editor.state.doc.textBetween(range.from, range.to, " ").slice(0, MAX_QUOTE) : "The text is no longer there";
    const answer = draft ?? textInput("Answer", "comment-reply");
    answer.dataset["comment"] = comment.id;
    return h(
      "article",
      { class: comment.isResolved ? "comment comment-resolved" : "comment", "data-testid": "comment" },
      h("button", { type: "button", class: "comment-quote", disabled: !range, onclick: () => range && editor.chain().focus().setTextSelection(range).scrollIntoView().run() }, quote),
      line(comment),
      ...comment.replies.map(line),
      h(
        "form",
        {
          class: "comments-form",
          onsubmit: (event) => {
            event.preventDefault();
            const text = answer.value.trim();
            answer.value = "";
            if (text && mayWrite()) comments.reply(comment.id, me, text);
          },
        },
        answer,
        h("button", { type: "button", class: "history-save", "data-testid": "comment-resolve", disabled: !mayWrite(), onclick: () => comments.resolve(comment.id, !comment.isResolved) }, comment.isResolved ? "Reopen" : "Resolve"),
        h("button", { type: "button", class: "icon-button", "aria-label": "Delete comment", "data-testid": "comment-delete", disabled: !mayWrite(), onclick: () => comments.remove(comment.id) }, icon("close", 16)),
      ),
    );
  }

  const onChange = (): void => render();
  comments.on("change", onChange);
  editor.on("update", onChange);
  render();

  return {
    button,
    panel,
    rename: (next) => (me = authorOf(next)),
    destroy: () => {
      comments.off("change", onChange);
      editor.off("update", onChange);
    },
  };
}

function textInput(label: string, testId: string): HTMLInputElement {
  return h("input", { type: "text", class: "history-name", maxlength: MAX_TEXT_LENGTH, placeholder: label, "aria-label": label, "data-testid": testId });
}

function line({ author, text, createdAt }: CommentText): HTMLElement {
  const name = (author.name.trim() || "Guest").slice(0, 40);
  const avatar = h("span", { class: "avatar", "aria-hidden": "true" }, initials(name));
  if (author.color && /^#[0-9a-f]{6}$/i.test(author.color)) avatar.style.backgroundColor = author.color;
  const when = new Date(createdAt);
  return h(
    "div",
    { class: "chat-line" },
    avatar,
    h(
      "div",
      { class: "chat-body" },
      h("p", { class: "chat-who" }, h("span", { class: "chat-name" }, name), h("time", { datetime: Number.isNaN(when.getTime()) ? undefined : when.toISOString() }, when.toLocaleDateString())),
      h("p", { class: "chat-text" }, text.slice(0, MAX_TEXT_LENGTH)),
    ),
  );
}

function authorOf({ name, color }: Identity): CommentAuthor {
  return { name, color };
}
