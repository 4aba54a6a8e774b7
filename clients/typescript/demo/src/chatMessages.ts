import type { ChannelMember } from "@collab/client";

/** What is published in the channel of a document. */
export interface ChatEvents {
  /** Somebody says something. */
  chat: { readonly from: Person; readonly text: string };
  /** Somebody gave the document another first line. */
  titled: { readonly from: Person; readonly title: string };
}

/** Who speaks, as he says himself. */
export interface Person {
  /** The same for all windows of a browser. */
  readonly id: string;
  readonly name: string;
  /** A hexadecimal colour. */
  readonly color: string;
}

/** The longest text of a message, in characters. */
export const MAX_TEXT_LENGTH = 2_000;

const MAX_CHANNEL_LENGTH = 200;

/** The channel of a document. A name is no longer than a document id, so very long ids are shortened and told apart by their hash. */
export function channelOf(documentId: string): string {
  const name = `doc:${documentId}`;
  if (name.length <= MAX_CHANNEL_LENGTH) return name;
  const hash = (seed: number): string =>
    [...documentId].reduce((sum, character) => Math.imul(sum ^ character.charCodeAt(0), 0x01000193) >>> 0, seed).toString(16).padStart(8, "0");
  const end = `~${hash(0x811c9dc5)}${hash(0x2c1b3c6d)}`;
  return `${name.slice(0, MAX_CHANNEL_LENGTH - end.length)}${end}`;
}

/** 96 random bits in hexadecimal. */
export function newId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Data of strangers is of any shape, whatever its type says. */
export function personFrom(data: unknown): Person {
  const { id, name, color } = fieldsOf(data);
  return {
    id: typeof id === "string" ? id : "",
    name: (typeof name === "string" && name.trim().slice(0, 40)) || "Guest",
    color: typeof color === "string" && /^#[0-9a-f]{6}$/i.test(color) ? color : "#73737f",
  };
}

/** A text of a message; empty when there is none. */
export function textFrom(data: unknown, field: "text" | "title", maxLength = MAX_TEXT_LENGTH): string {
  const text = fieldsOf(data)[field];
  return typeof text === "string" ? text.slice(0, maxLength) : "";
}

export function senderOf(data: unknown): Person {
  return personFrom(fieldsOf(data)["from"]);
}

/** What tells members apart. */
export function keyOf({ userId, connectionId }: ChannelMember): string {
  return userId ?? connectionId;
}

function fieldsOf(data: unknown): Record<string, unknown> {
  return typeof data === "object" && data !== null ? (data as Record<string, unknown>) : {};
}
