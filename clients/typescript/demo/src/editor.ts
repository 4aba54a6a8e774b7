import { Editor } from "@tiptap/core";
import Collaboration from "@tiptap/extension-collaboration";
import CollaborationCaret from "@tiptap/extension-collaboration-caret";
import { Placeholder } from "@tiptap/extensions";
import StarterKit from "@tiptap/starter-kit";
import type { CollabProvider } from "@collab/client";
import { h } from "./dom";
import type { Identity } from "./identity";

/** Makes the rich-text editor of a document. Undo is the collaboration's: it takes back one's own changes only. */
export function createEditor(element: HTMLElement, provider: CollabProvider, identity: Identity): Editor {
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
      CollaborationCaret.configure({ provider, user: { ...identity }, render: renderCaret }),
    ],
  });
}

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

/** Another writer's caret with his name. What he claims to be is text from a stranger. */
function renderCaret(user: { name?: unknown; color?: unknown }): HTMLElement {
  const label = h("span", { class: "caret-label", "data-testid": "caret-label" }, String(user.name ?? "Guest").slice(0, 40));
  const caret = h("span", { class: "caret", "data-testid": "caret" }, label);
  // Set through the object model, which a strict policy allows, unlike a style attribute in markup.
  caret.style.setProperty("--caret-color", String(user.color));
  return caret;
}
