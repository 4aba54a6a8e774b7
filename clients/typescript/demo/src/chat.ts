import type { Channel, ChannelMember, ChannelMessage, ChannelSubscription, CollabConnection, MembersChange } from "@collab/client";
import { createChatLog } from "./chatLog";
import type { PendingLine } from "./chatLog";
import { channelOf, keyOf, MAX_TEXT_LENGTH, newId, personFrom, senderOf, textFrom } from "./chatMessages";
import type { ChatEvents, Person } from "./chatMessages";
import { h } from "./dom";
import { icon } from "./icons";
import type { Identity } from "./identity";
import { markSeen, seenPosition } from "./seen";
import { remember, remembered } from "./storage";

/** How many of the last messages are shown at first. */
const REWIND = 100;

/** How long a name rests before the others are told of it, in milliseconds: it is typed letter by letter. */
const RENAME_DELAY = 600;

/** How long one who went may come back unmentioned, in milliseconds: a server that restarts sees them come one after the other. */
const LEAVE_DELAY = 4_000;

/** The chat of one document: a button with the number of unread messages, and the panel that it opens. */
export interface Chat {
  readonly button: HTMLElement;
  readonly panel: HTMLElement;
  /** Whether something that was written here may not be on the server. */
  readonly hasUnsent: boolean;
  rename(identity: Identity): void;
  /** Tells the others of the document's new first line. */
  titled(title: string): void;
  destroy(): void;
}

/** Joins the channel of a document: shows what is said and who comes and goes, also while the panel is closed. */
export function openChat(connection: CollabConnection, documentId: string, identity: Identity): Chat {
  const channel: Channel<ChatEvents> = connection.channel<ChatEvents>(channelOf(documentId));
  const log = createChatLog();
  /** What was written here and has not come back, by key. */
  const pending = new Map<string, PendingLine>();
  /** What of it the server has not acknowledged. */
  const unsent = new Set<string>();
  let me = selfOf(identity);
  let unread = 0;

  const badge = h("span", { class: "chat-badge", hidden: true, "data-testid": "chat-unread" });
  const button = h(
    "button",
    { type: "button", class: "icon-button chat-button", "aria-controls": "chat", "data-testid": "chat-button", onclick: () => setOpen(panel.hidden) },
    icon("chat", 20),
    badge,
  );
  const here = h("p", { class: "chat-here", "data-testid": "chat-here" });
  const input = h("textarea", {
    class: "chat-input",
    rows: 1,
    maxlength: MAX_TEXT_LENGTH,
    placeholder: "Write a message",
    "aria-label": "Message",
    "data-testid": "chat-input",
    oninput: () => fit(input),
    onkeydown: (event) => {
      const { key, shiftKey, isComposing } = event as KeyboardEvent;
      if (key !== "Enter" || shiftKey || isComposing) return;
      event.preventDefault();
      send();
    },
  });
  const close = h("button", { type: "button", class: "icon-button", "aria-label": "Close chat", "data-testid": "chat-close", onclick: () => setOpen(false) }, icon("close"));
  const panel = h(
    "aside",
    { class: "chat", id: "chat", "aria-label": "Chat and activity", hidden: true, "data-testid": "chat" },
    h("header", { class: "chat-head" }, h("div", {}, h("h2", { class: "chat-title" }, "Chat"), here), close),
    log.element,
    h("div", { class: "chat-compose" }, input, h("button", { type: "button", class: "chat-send", "aria-label": "Send", "data-testid": "chat-send", onclick: () => send() }, icon("send"))),
  );
  panel.addEventListener("keydown", (event) => event.key === "Escape" && setOpen(false));

  const showUnread = (): void => {
    badge.hidden = unread === 0;
    badge.textContent = unread > 99 ? "99+" : String(unread);
    button.setAttribute("aria-label", unread === 0 ? "Chat" : `Chat, ${unread} unread`);
  };
  const setOpen = (open: boolean): void => {
    panel.hidden = !open;
    button.setAttribute("aria-expanded", String(open));
    remember("chat", open ? "open" : undefined);
    if (!open) return button.focus();
    markRead();
    log.scrollToEnd();
    input.focus();
  };
  const markRead = (): void => {
    unread = 0;
    showUnread();
    if (messages.position !== undefined) markSeen(channel.name, messages.position);
  };

  const send = (): void => {
    const text = input.value.trim();
    if (!text) return;
    input.value = "";
    fit(input);
    const key = newId();
    const line = log.sayPending(me, text);
    pending.set(key, line);
    unsent.add(key);
    log.scrollToEnd();
    channel.publish("chat", { from: me, text }, key).then(
      // It stands among the others as soon as it comes back, which may be a moment later.
      () => unsent.delete(key),
      ({ code, message }: { code: string; message: string }) => {
        unsent.delete(key);
        pending.delete(key);
        line.failed(code === "queue_full" ? "too many messages wait already" : message);
      },
    );
  };

  const seen = seenPosition(channel.name);
  const said = (message: ChannelMessage<ChatEvents>): void => {
    const from = senderOf(message.data);
    const isOwn = from.id === me.id;
    if (message.event === "chat") {
      pending.get(message.id)?.remove();
      pending.delete(message.id);
      log.say(from, textFrom(message.data, "text"), message.publishedAt, isOwn);
      if (!isOwn) unread++;
    } else if (message.event === "titled") {
      log.note("document", `${from.name} named the document “${textFrom(message.data, "title", 80)}”`);
    }
    // Up to here everything was read on the last visit; on the first one, what was said before it is not news.
    if (message.position === seen || !hasBegun) unread = seen === undefined || message.position === seen ? 0 : unread;
    if (panel.hidden) showUnread();
    else markRead();
  };
  let hasBegun = false;
  const messages = channel.subscribe(said, {
    rewind: REWIND,
    onGap: () => log.note("cloudOff", "Some messages are no longer kept"),
    onClosed: ({ message }) => {
      log.note("cloudOff", message);
      input.disabled = true;
    },
  });
  messages.ready.then(
    () => {
      hasBegun = true;
      if (!panel.hidden) markRead();
      else if (seen === undefined && messages.position !== undefined) markSeen(channel.name, messages.position);
    },
    () => {},
  );

  const names = new Map<string, string>();
  const leaving = new Map<string, ReturnType<typeof setTimeout>>();
  let knowsMembers = false;
  const met = (members: readonly ChannelMember[], change: MembersChange): void => {
    const people = members.map((member) => ({ person: personFrom(member.data), key: keyOf(member) }));
    here.textContent = people.length === 1 ? "Only you are here" : `${people.length} here: ${people.map(({ person }) => (person.id === me.id ? "you" : person.name)).join(", ")}`;
    here.dataset["count"] = String(people.length);
    for (const member of change.left) {
      const key = keyOf(member);
      clearTimeout(leaving.get(key));
      leaving.set(
        key,
        setTimeout(() => {
          log.note("leave", `${names.get(key) ?? "Somebody"} left`);
          names.delete(key);
        }, LEAVE_DELAY),
      );
    }
    for (const member of change.joined) {
      clearTimeout(leaving.get(keyOf(member)));
      const { name, id } = personFrom(member.data);
      const former = names.get(keyOf(member));
      if (knowsMembers && id !== me.id && former === undefined) log.note("join", `${name} is here`);
      else if (knowsMembers && former !== undefined && former !== name) log.note("join", `${former} is now ${name}`);
      names.set(keyOf(member), name);
    }
    knowsMembers = true;
  };
  const show = (): ChannelSubscription => channel.subscribe(() => {}, { presence: me, onMembers: met });
  let shown = show();
  let renaming: ReturnType<typeof setTimeout> | undefined;

  if (remembered("chat") === "open" && !matchMedia("(max-width: 1180px)").matches) {
    panel.hidden = false;
    button.setAttribute("aria-expanded", "true");
  } else {
    button.setAttribute("aria-expanded", "false");
  }
  showUnread();

  return {
    button,
    panel,
    get hasUnsent() {
      return unsent.size > 0;
    },
    rename: (next) => {
      me = selfOf(next);
      clearTimeout(renaming);
      renaming = setTimeout(() => {
        // The newest subscription says what the others see.
        const former = shown;
        shown = show();
        former.unsubscribe();
      }, RENAME_DELAY);
    },
    // Only an announcement: whether it arrives is of no consequence.
    titled: (title) => void channel.publish("titled", { from: me, title }).catch(() => {}),
    destroy: () => {
      clearTimeout(renaming);
      for (const timer of leaving.values()) clearTimeout(timer);
      messages.unsubscribe();
      shown.unsubscribe();
    },
  };
}

/** The writer of this browser. */
function selfOf({ name, color }: Identity): Person {
  const id = remembered("person") ?? newId();
  remember("person", id);
  return { id, name, color };
}

/** As high as its text, as far as the style allows. */
function fit(input: HTMLTextAreaElement): void {
  input.style.height = "auto";
  input.style.height = `${input.scrollHeight}px`;
}
