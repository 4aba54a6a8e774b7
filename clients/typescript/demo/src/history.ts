import { h } from "./dom";
import { icon } from "./icons";
import { authorColor, importRichText } from "./richText";

/** A version as the server tells of it. */
interface Version {
  readonly id: string;
  readonly name: string | null;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly isAutomatic: boolean;
  readonly authors: readonly string[];
}

/** The history of one document: a button, and the window with a slider that it opens. */
export interface History {
  readonly button: HTMLElement;
  destroy(): void;
}

/** How long the slider rests before its version is shown, in milliseconds. */
const SLIDE_DELAY = 120;

/** The longest name of a version, in characters. */
const MAX_NAME_LENGTH = 200;

/** Makes the history of a document: each version with what was written since the one before, in its author's colour. */
export function createHistory(documentId: string, mayWrite: () => boolean): History {
  const base = `documents/${encodeURIComponent(documentId)}/versions`;
  let versions: readonly Version[] = [];
  let shown = -1;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const title = h("h2", { class: "history-title" }, "History");
  const when = h("p", { class: "history-when", "data-testid": "history-when" });
  const authors = h("ul", { class: "history-authors", "aria-label": "Who wrote", "data-testid": "history-authors" });
  const slider = h("input", { type: "range", class: "history-slider", min: 0, step: 1, "aria-label": "Version", "data-testid": "history-slider", oninput: () => slide() });
  const page = h("div", { class: "history-page paper", "data-testid": "history-page" });
  const restore = h("button", { type: "button", class: "share", "data-testid": "history-restore", onclick: () => void act("Restored.", () => post(`${base}/${current()?.id}/restore`)) }, "Restore this version");
  const name = h("input", { type: "text", class: "history-name", maxlength: MAX_NAME_LENGTH, placeholder: "Name this version", "aria-label": "Name of the version", "data-testid": "history-name" });
  const save = h("button", { type: "submit", class: "history-save", "data-testid": "history-save" }, "Save name");
  const keep = h("button", { type: "button", class: "history-save", "data-testid": "history-keep", onclick: () => void act("Kept.", () => post(base), true) }, "Keep a version now");
  const notice = h("p", { class: "history-notice", role: "status", "data-testid": "history-notice" });
  const naming = h("form", { class: "history-naming", onsubmit: (event) => (event.preventDefault(), void act("Named.", rename)) }, name, save);
  const dialog = h(
    "dialog",
    { class: "history", "aria-label": "History of the document", "data-testid": "history" },
    h("header", { class: "history-head" }, h("div", {}, title, when), authors, h("button", { type: "button", class: "icon-button", "aria-label": "Close history", "data-testid": "history-close", onclick: () => dialog.close() }, icon("close"))),
    slider,
    h("div", { class: "history-stage" }, page),
    h("footer", { class: "history-foot" }, notice, naming, keep, restore),
  );
  const button = h("button", { type: "button", class: "icon-button", "aria-label": "History", title: "History", "data-testid": "history-button", onclick: () => void open() }, icon("history", 20));
  document.body.append(dialog);

  const current = (): Version | undefined => versions[shown];

  async function open(): Promise<void> {
    notice.textContent = "";
    for (const element of [restore, keep, save, name]) element.disabled = !mayWrite();
    dialog.showModal();
    await load();
  }

  /** @param index which to show, from the oldest; by default the newest. */
  async function load(index?: number): Promise<void> {
    const answer = await request(base);
    versions = answer ? ((await answer.json()) as { versions: Version[] }).versions.reverse() : [];
    slider.max = String(Math.max(0, versions.length - 1));
    slider.disabled = versions.length < 2;
    await show(index ?? versions.length - 1);
  }

  function slide(): void {
    clearTimeout(timer);
    timer = setTimeout(() => void show(Number(slider.value)), SLIDE_DELAY);
  }

  async function show(index: number): Promise<void> {
    shown = index;
    slider.value = String(index);
    const version = current();
    restore.hidden = naming.hidden = !version;
    if (!version) {
      when.textContent = "No version yet: one is made now and then while the document is written, and when you keep one.";
      authors.replaceChildren();
      page.replaceChildren();
      return;
    }
    const before = versions[index - 1];
    when.textContent = `${version.name ? `${version.name} · ` : ""}${new Date(version.createdAt).toLocaleString()} · ${index + 1} of ${versions.length}`;
    slider.setAttribute("aria-valuetext", when.textContent);
    name.value = version.name ?? "";
    authors.replaceChildren(
      ...version.authors.map((author) => {
        const entry = h("li", {}, author);
        entry.style.setProperty("--author-color", authorColor(author));
        return entry;
      }),
    );
    const answer = await request(`${base}/${version.id}/changes?root=default${before ? `&from=${before.id}` : ""}`, { headers: { Accept: "text/html" } });
    // The slider may have moved on meanwhile.
    if (answer && current() === version) page.replaceChildren(importRichText(await answer.text()));
  }

  async function rename(): Promise<Response | undefined> {
    return request(`${base}/${current()?.id}`, { method: "PATCH", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ name: name.value.trim() }) });
  }

  async function act(done: string, action: () => Promise<Response | undefined>, toNewest = false): Promise<void> {
    const index = shown;
    if (!(await action())) return;
    await load(toNewest ? undefined : index);
    notice.textContent = done;
  }

  const post = (url: string): Promise<Response | undefined> => request(url, { method: "POST" });

  async function request(url: string, init?: RequestInit): Promise<Response | undefined> {
    notice.textContent = "";
    const answer = await fetch(new URL(url, document.baseURI), init).catch(() => undefined);
    if (answer?.ok) return answer;
    notice.textContent = answer ? `The server refused it (${answer.status}).` : "The server cannot be reached.";
    return undefined;
  }

  return {
    button,
    destroy: () => {
      clearTimeout(timer);
      dialog.close();
      dialog.remove();
    },
  };
}
