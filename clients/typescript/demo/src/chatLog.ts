import type { Person } from "./chatMessages";
import { h } from "./dom";
import type { IconName } from "./icons";
import { icon } from "./icons";
import { initials } from "./identity";

/** How many lines stay in the page. */
const MAX_LINES = 500;

/** One who goes on within this time, in milliseconds, is not named again. */
const SAME_BREATH = 5 * 60_000;

/** A line that was written here and is on its way. */
export interface PendingLine {
  /** It was refused. */
  failed(reason: string): void;
  remove(): void;
}

/** The lines of the chat: what people say, and what happens. */
export interface ChatLog {
  readonly element: HTMLElement;
  say(person: Person, text: string, at: number, isOwn: boolean): void;
  /** Shows what was written here and is not known to be on the server. */
  sayPending(person: Person, text: string): PendingLine;
  note(iconName: IconName, text: string): void;
  /** Shows the end, for instance when the log becomes visible. */
  scrollToEnd(): void;
}

export function createChatLog(): ChatLog {
  const lines = h("ol", { class: "chat-lines" });
  const pending = h("ol", { class: "chat-lines chat-pending" });
  const empty = h("p", { class: "chat-empty" }, "Nothing said yet. What you write here stays with the document, in the order in which the server took it.");
  const element = h("div", { class: "chat-log", role: "log", "aria-label": "Messages", tabindex: 0, "data-testid": "chat-log" }, empty, lines, pending);
  let last: { readonly person: Person; readonly at: number } | undefined;

  /** Keeps the end in view for those who look at it. */
  const changing = (change: () => void): void => {
    const atEnd = element.scrollHeight - element.scrollTop - element.clientHeight < 48;
    change();
    empty.hidden = lines.childElementCount + pending.childElementCount > 0;
    while (lines.childElementCount > MAX_LINES) lines.firstElementChild!.remove();
    if (atEnd) element.scrollTop = element.scrollHeight;
  };

  return {
    element,
    say: (person, text, at, isOwn) =>
      changing(() => {
        const goesOn = last !== undefined && last.person.id === person.id && last.person.name === person.name && at - last.at < SAME_BREATH;
        last = { person, at };
        lines.append(line(person, text, at, isOwn, goesOn));
      }),
    sayPending: (person, text) => {
      const element = line(person, text, undefined, true, false);
      element.dataset["state"] = "sending";
      const state = h("span", { class: "chat-state", "data-testid": "chat-state" }, "Sending…");
      element.querySelector(".chat-body")!.append(state);
      changing(() => pending.append(element));
      return {
        failed: (reason) => {
          element.dataset["state"] = "failed";
          state.textContent = `Not sent: ${reason}`;
        },
        remove: () => changing(() => element.remove()),
      };
    },
    note: (iconName, text) =>
      changing(() => {
        last = undefined;
        lines.append(h("li", { class: "chat-note", "data-testid": "chat-note" }, icon(iconName, 14), h("span", {}, text)));
      }),
    scrollToEnd: () => (element.scrollTop = element.scrollHeight),
  };
}

function line(person: Person, text: string, at: number | undefined, isOwn: boolean, goesOn: boolean): HTMLElement {
  const face = h("span", { class: "avatar", "aria-hidden": "true" }, initials(person.name));
  face.style.backgroundColor = person.color;
  const name = isOwn ? `${person.name} (you)` : person.name;
  return h(
    "li",
    { class: goesOn ? "chat-line chat-line-on" : "chat-line", "data-own": isOwn, "data-testid": "chat-line" },
    face,
    h(
      "div",
      { class: "chat-body" },
      h("p", { class: "chat-who" }, h("span", { class: "chat-name" }, name), at !== undefined && timeOf(at)),
      h("p", { class: "chat-text", "data-testid": "chat-text" }, text),
    ),
  );
}

function timeOf(at: number): HTMLElement {
  const date = new Date(at);
  const isToday = date.toDateString() === new Date().toDateString();
  const time = date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  const shown = isToday ? time : `${date.toLocaleDateString([], { month: "short", day: "numeric" })}, ${time}`;
  return h("time", { datetime: date.toISOString() }, shown);
}
