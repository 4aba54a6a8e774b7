import type { ChainedCommands, Editor } from "@tiptap/core";
import { h } from "./dom";
import { icon } from "./icons";
import type { IconName } from "./icons";

interface Tool {
  readonly id: string;
  readonly label: string;
  readonly shortcut?: string;
  readonly face: IconName | { readonly text: string };
  readonly run: (chain: ChainedCommands) => ChainedCommands;
  readonly isActive?: (editor: Editor) => boolean;
  readonly isEnabled?: (editor: Editor) => boolean;
}

const heading = (level: 1 | 2 | 3): Tool => ({
  id: `heading-${level}`,
  label: `Heading ${level}`,
  shortcut: `Mod+Alt+${level}`,
  face: { text: `H${level}` },
  run: (chain) => chain.toggleHeading({ level }),
  isActive: (editor) => editor.isActive("heading", { level }),
});

const mark = (id: "bold" | "italic" | "underline" | "strike" | "code", label: string, shortcut: string): Tool => ({
  id,
  label,
  shortcut,
  face: id,
  run: (chain) => chain.toggleMark(id),
  isActive: (editor) => editor.isActive(id),
});

const GROUPS: readonly (readonly Tool[])[] = [
  [
    { id: "undo", label: "Undo", shortcut: "Mod+Z", face: "undo", run: (chain) => chain.undo(), isEnabled: (editor) => editor.can().undo() },
    { id: "redo", label: "Redo", shortcut: "Mod+Shift+Z", face: "redo", run: (chain) => chain.redo(), isEnabled: (editor) => editor.can().redo() },
  ],
  [heading(1), heading(2), heading(3)],
  [
    mark("bold", "Bold", "Mod+B"),
    mark("italic", "Italic", "Mod+I"),
    mark("underline", "Underline", "Mod+U"),
    mark("strike", "Strikethrough", "Mod+Shift+S"),
    mark("code", "Code", "Mod+E"),
  ],
  [
    { id: "bullet-list", label: "Bullet list", shortcut: "Mod+Shift+8", face: "bulletList", run: (chain) => chain.toggleBulletList(), isActive: (editor) => editor.isActive("bulletList") },
    { id: "ordered-list", label: "Numbered list", shortcut: "Mod+Shift+7", face: "orderedList", run: (chain) => chain.toggleOrderedList(), isActive: (editor) => editor.isActive("orderedList") },
    { id: "quote", label: "Quote", shortcut: "Mod+Shift+B", face: "quote", run: (chain) => chain.toggleBlockquote(), isActive: (editor) => editor.isActive("blockquote") },
    { id: "code-block", label: "Code block", shortcut: "Mod+Alt+C", face: "codeBlock", run: (chain) => chain.toggleCodeBlock(), isActive: (editor) => editor.isActive("codeBlock") },
    { id: "rule", label: "Divider", face: "rule", run: (chain) => chain.setHorizontalRule() },
  ],
];

const isMac = /Mac|iPhone|iPad/.test(navigator.userAgent);

/** The formatting toolbar: one stop in the tab order, arrow keys within (the toolbar pattern of WAI-ARIA). */
export function createToolbar(editor: Editor): HTMLElement {
  const buttons = new Map<Tool, HTMLButtonElement>();
  const toolbar = h("div", { class: "toolbar", role: "toolbar", "aria-label": "Formatting", "data-testid": "toolbar" });
  for (const tools of GROUPS) {
    const group = h("div", { class: "toolbar-group", role: "group" });
    for (const tool of tools) {
      const button = toolButton(tool, editor);
      buttons.set(tool, button);
      group.append(button);
    }
    toolbar.append(group);
  }
  const order = [...buttons.values()];
  const moveTo = (button: HTMLButtonElement | undefined): void => {
    if (!button) return;
    for (const other of order) other.tabIndex = other === button ? 0 : -1;
  };
  moveTo(order[0]);
  toolbar.addEventListener("focusin", (event) => moveTo(order.find((button) => button === event.target)));
  toolbar.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const at = order.findIndex((button) => button === document.activeElement);
    if (step === undefined || at < 0) return;
    event.preventDefault();
    order[(at + step + order.length) % order.length]?.focus();
  });

  const refresh = (): void => {
    for (const [tool, button] of buttons) {
      if (tool.isActive) button.setAttribute("aria-pressed", String(tool.isActive(editor)));
      // Kept focusable, so that arrow keys do not lose their place.
      button.setAttribute("aria-disabled", String(!editor.isEditable || tool.isEnabled?.(editor) === false));
    }
  };
  editor.on("transaction", refresh);
  editor.on("update", refresh);
  refresh();
  return toolbar;
}

function toolButton(tool: Tool, editor: Editor): HTMLButtonElement {
  const keys = tool.shortcut && (isMac ? tool.shortcut.replace("Mod", "⌘").replace("Alt", "⌥").replace("Shift", "⇧").replaceAll("+", "") : tool.shortcut.replace("Mod", "Ctrl"));
  return h(
    "button",
    {
      type: "button",
      class: "tool",
      title: keys ? `${tool.label} (${keys})` : tool.label,
      "aria-label": tool.label,
      "data-testid": `tool-${tool.id}`,
      // The editor keeps its selection.
      onmousedown: (event) => event.preventDefault(),
      onclick: (event) => {
        if ((event.currentTarget as HTMLElement).getAttribute("aria-disabled") !== "true") tool.run(editor.chain().focus()).run();
      },
    },
    typeof tool.face === "string" ? icon(tool.face) : h("span", { class: "tool-text" }, tool.face.text),
  );
}
