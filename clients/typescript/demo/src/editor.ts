import { Editor, Extension } from "@tiptap/core";
import Collaboration, { isChangeOrigin } from "@tiptap/extension-collaboration";
import CollaborationCaret from "@tiptap/extension-collaboration-caret";
import { Placeholder } from "@tiptap/extensions";
import { Plugin } from "@tiptap/pm/state";
import StarterKit from "@tiptap/starter-kit";
import type { CollabProvider, Comments } from "@collab/client";
import { commentMarks } from "./commentMarks";
import { h } from "./dom";
import type { Identity } from "./identity";

/** Makes the rich-text editor of a document. Undo is the collaboration's: it takes back one's own changes only. */
export function createEditor(element: HTMLElement, provider: CollabProvider, identity: Identity, comments: Comments): Editor {
  return new Editor({
    element,
    // Its styles are in editor.css: the page's policy allows no inline ones.
    injectCSS: false,
    editable: false,
    editorProps: {
      attributes: { "aria-label": "Document", "aria-multiline": "true", role: "textbox", "data-testid": "editor", spellcheck: "true" },
    },
    extensions: [
      StarterKit.configure({
        undoRedo: false,
        heading: { levels: [1, 2, 3] },
        link: { openOnClick: false, autolink: true, protocols: ["http", "https", "mailto"] },
      }),
      Placeholder.configure({
        placeholder: ({ node }) =>
          node.type.name === "heading" ? "Heading" : "Start writing. Others with this link see every letter as you type.",
      }),
      Collaboration.configure({ document: provider.doc, field: "default" }),
      CollaborationCaret.configure({ provider, user: caretUser(provider, identity), render: renderCaret }),
      KeepChosenMarks,
      commentMarks(comments),
    ],
  });
}

/** What others are told for one's caret. The client id lets them find it again. */
export function caretUser({ awareness }: CollabProvider, { name, color }: Identity): Record<string, unknown> {
  return { name, color, client: awareness.clientID };
}

/**
 * Bold that was switched on or off, before a letter is typed, is forgotten by ProseMirror with every change of the document.
 * A change by somebody else must not do that.
 */
const KeepChosenMarks = Extension.create({
  name: "keepChosenMarks",
  addProseMirrorPlugins: () => [
    new Plugin({
      appendTransaction: (transactions, before, now) =>
        before.storedMarks && !now.storedMarks && now.selection.empty && transactions.every((tr) => !tr.docChanged || isChangeOrigin(tr))
          ? now.tr.setStoredMarks(before.storedMarks)
          : null,
    }),
  ],
});

/** The document's first line of text; empty when it has none. */
export function titleOf(editor: Editor): string {
  for (let i = 0; i < editor.state.doc.childCount; i++) {
    const text = editor.state.doc.child(i).textContent.trim();
    if (text) return text.slice(0, 80);
  }
  return "";
}

export function wordCount(editor: Editor): number {
  return editor.state.doc.textBetween(0, editor.state.doc.content.size, " ", " ").match(/[\p{L}\p{N}][\p{L}\p{N}'’-]*/gu)?.length ?? 0;
}

/** The longest name that is shown at a caret, in characters: it is text from a stranger. */
const MAX_CARET_NAME = 40;

interface CaretUser {
  readonly name?: unknown;
  readonly color?: unknown;
  readonly client?: unknown;
}

/** Another writer's caret with his name. */
function renderCaret(user: CaretUser): HTMLElement {
  const label = h("span", { class: "caret-label", "data-testid": "caret-label" });
  const caret = h("span", { class: "caret", "data-testid": "caret", "data-client": String(user.client) }, label);
  describeCaret(caret, user);
  return caret;
}

/**
 * Shows new names at carets that stand already, as the editor keeps a caret's element for as long as it is there; and turns labels
 * that would not fit to the other side.
 */
export function refreshCarets({ awareness }: CollabProvider, editor: Editor): void {
  const edge = editor.view.dom.parentElement!.getBoundingClientRect().right;
  for (const caret of editor.view.dom.querySelectorAll<HTMLElement>(".caret")) {
    const user = awareness.getStates().get(Number(caret.dataset["client"]))?.["user"] as CaretUser | undefined;
    if (user) describeCaret(caret, user);
    const label = caret.firstElementChild as HTMLElement;
    label.classList.toggle("caret-label-turned", caret.getBoundingClientRect().left + label.offsetWidth > edge);
  }
}

function describeCaret(caret: HTMLElement, { name, color }: CaretUser): void {
  const text = String(name ?? "Guest").slice(0, MAX_CARET_NAME);
  if (caret.textContent !== text) caret.firstElementChild!.textContent = text;
  // Set through the object model, which a strict policy allows, unlike a style attribute in markup.
  caret.style.setProperty("--caret-color", String(color));
}
