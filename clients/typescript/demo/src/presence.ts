import type { Awareness } from "y-protocols/awareness";
import { h } from "./dom";
import { initials } from "./identity";

/** How many avatars are shown before the rest become a number. */
const MAX_SHOWN = 5;

/** The avatars of those who are in the document, oneself last. Call the function it returns beside the element to let go. */
export function createPresence(awareness: Awareness): { element: HTMLElement; destroy(): void } {
  const element = h("ul", { class: "presence", "aria-label": "People in this document", "data-testid": "presence" });
  const render = (): void => {
    const people = [...awareness.getStates()]
      .map(([client, state]) => ({ client, user: state["user"] as { name?: unknown; color?: unknown } | undefined }))
      .filter(({ user }) => user !== undefined)
      .sort((a, b) => Number(a.client === awareness.clientID) - Number(b.client === awareness.clientID) || a.client - b.client);
    const shown = people.length > MAX_SHOWN ? people.slice(-(MAX_SHOWN - 1)) : people;
    const rest = people.length - shown.length;
    element.replaceChildren(
      ...(rest > 0 ? [h("li", { class: "avatar avatar-rest", title: `${rest} more` }, `+${rest}`)] : []),
      ...shown.map(({ client, user }) => avatar(String(user?.name ?? "Guest"), String(user?.color), client === awareness.clientID)),
    );
    element.dataset["count"] = String(people.length);
  };
  awareness.on("change", render);
  render();
  return { element, destroy: () => awareness.off("change", render) };
}

function avatar(name: string, color: string, isSelf: boolean): HTMLElement {
  const label = isSelf ? `${name} (you)` : name;
  const element = h("li", { class: isSelf ? "avatar avatar-self" : "avatar", title: label, "aria-label": label, "data-testid": "avatar" }, initials(name));
  element.style.backgroundColor = color;
  return element;
}
