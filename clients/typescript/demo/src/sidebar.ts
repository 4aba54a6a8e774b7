import { newDocumentId, readableName } from "./documentId";
import { h } from "./dom";
import { icon } from "./icons";
import { initials, MAX_NAME_LENGTH } from "./identity";
import type { Identity } from "./identity";
import { forgetDocument, recentDocuments } from "./recent";
import type { ListedDocument } from "./recent";
import { documentHref } from "./route";
import { currentTheme, setTheme, THEMES } from "./theme";

const THEME_FACES = {
  system: { icon: "system", name: "System theme" },
  light: { icon: "sun", name: "Light theme" },
  dark: { icon: "moon", name: "Dark theme" },
} as const;

export interface Sidebar {
  readonly element: HTMLElement;
  /** Shows the lists anew, with the open document marked. */
  render(current: string | undefined): void;
  /** Shows documents that the server lists, below those opened here. */
  showServerDocuments(documents: readonly ListedDocument[]): void;
}

/** The list of documents, the own name and the theme. On a phone it slides in over the page. */
export function createSidebar(identity: Identity, onRename: (name: string) => void): Sidebar {
  const list = h("nav", { class: "documents", "aria-label": "Documents", "data-testid": "documents" });
  let current: string | undefined;
  let onServer: readonly ListedDocument[] = [];

  const render = (): void => {
    const recent = recentDocuments();
    const others = onServer.filter(({ id }) => !recent.some((known) => known.id === id));
    list.replaceChildren(
      ...section("Recent", recent, true),
      ...section("On this server", others, false),
      ...(recent.length + others.length === 0 ? [h("p", { class: "documents-empty" }, "Documents you open appear here.")] : []),
    );
  };

  const section = (title: string, documents: readonly ListedDocument[], canForget: boolean): HTMLElement[] => {
    if (documents.length === 0) return [];
    return [h("h2", { class: "documents-title" }, title), h("ul", {}, ...documents.map((document) => row(document, canForget)))];
  };

  const row = ({ id, title }: ListedDocument, canForget: boolean): HTMLElement =>
    h(
      "li",
      { class: "document-row" },
      h(
        "a",
        { href: documentHref(id), class: "document-link", "aria-current": id === current && "page", "data-testid": "document-link", title: id },
        icon("document", 17),
        h("span", { class: "document-name" }, title || readableName(id)),
      ),
      canForget &&
        id !== current &&
        h(
          "button",
          {
            type: "button",
            class: "document-forget",
            "aria-label": `Remove ${title || readableName(id)} from this list`,
            title: "Remove from this list",
            onclick: () => {
              forgetDocument(id);
              render();
            },
          },
          icon("close", 14),
        ),
    );

  const element = h(
    "aside",
    { class: "sidebar", id: "sidebar", "aria-label": "Documents and settings" },
    h(
      "div",
      { class: "sidebar-head" },
      h("a", { class: "brand", href: "/#/" }, h("img", { src: "/icon.svg", alt: "", width: 26, height: 26 }), "Collab"),
    ),
    h(
      "button",
      {
        type: "button",
        class: "new-document",
        "data-testid": "new-document",
        onclick: () => {
          location.hash = documentHref(newDocumentId());
        },
      },
      icon("plus", 17),
      "New document",
    ),
    list,
    h("div", { class: "sidebar-foot" }, nameField(identity, onRename), themeSwitch()),
  );
  return {
    element,
    render: (documentId) => {
      current = documentId;
      render();
    },
    showServerDocuments: (documents) => {
      onServer = documents;
      render();
    },
  };
}

function nameField(identity: Identity, onRename: (name: string) => void): HTMLElement {
  const face = h("span", { class: "avatar avatar-self", "aria-hidden": "true" }, initials(identity.name));
  face.style.backgroundColor = identity.color;
  const input = h("input", {
    type: "text",
    value: identity.name,
    maxlength: MAX_NAME_LENGTH,
    "aria-label": "Your name, as others see it",
    autocomplete: "off",
    spellcheck: "false",
    "data-testid": "name",
    oninput: () => {
      const name = input.value.trim();
      if (!name) return;
      face.textContent = initials(name);
      onRename(name);
    },
    onkeydown: (event) => {
      if ((event as KeyboardEvent).key === "Enter") input.blur();
    },
  });
  return h("label", { class: "name-field", title: "Your name, as others see it" }, face, input);
}

function themeSwitch(): HTMLElement {
  const group = h("div", { class: "theme-switch", role: "group", "aria-label": "Theme" });
  const buttons = THEMES.map((theme) =>
    h(
      "button",
      {
        type: "button",
        title: THEME_FACES[theme].name,
        "aria-label": THEME_FACES[theme].name,
        "data-testid": `theme-${theme}`,
        onclick: () => {
          setTheme(theme);
          mark();
        },
      },
      icon(THEME_FACES[theme].icon, 16),
    ),
  );
  const mark = (): void => buttons.forEach((button, i) => button.setAttribute("aria-pressed", String(THEMES[i] === currentTheme())));
  mark();
  group.append(...buttons);
  return group;
}
