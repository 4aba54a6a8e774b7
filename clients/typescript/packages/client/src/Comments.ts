import * as Y from "yjs";
import { randomName } from "./randomName.js";
import { TypedEvents } from "./TypedEvents.js";

/** Who wrote a comment, as he says himself. */
export interface CommentAuthor {
  readonly id?: string;
  readonly name: string;
  readonly color?: string;
}

/** What is said in a comment, or in answer to one. */
export interface CommentText {
  readonly id: string;
  readonly author: CommentAuthor;
  readonly text: string;
  /** Milliseconds since 1970, by the author's clock. */
  readonly createdAt: number;
}

/** A comment, or a mark, on a part of the document. */
export interface Comment extends CommentText {
  /** `"comment"`, or whatever an application calls its marks. */
  readonly kind: string;
  /** What an application keeps with it: any JSON value. */
  readonly data: unknown;
  readonly isResolved: boolean;
  /** In the order in which they were written. */
  readonly replies: readonly CommentText[];
  /** Where it begins and ends: they move with the text. */
  readonly start: Y.RelativePosition;
  readonly end: Y.RelativePosition;
}

/** What a new comment says. */
export interface NewComment {
  readonly start: Y.RelativePosition;
  readonly end: Y.RelativePosition;
  readonly author: CommentAuthor;
  readonly text?: string;
  readonly kind?: string;
  readonly data?: unknown;
}

/** The events of {@link Comments}. */
export interface CommentsEvents {
  /** Something was written, changed or taken away. */
  change: () => void;
}

/** The root of a document that holds its comments. */
const ROOT = "comments";

/**
 * Comments and marks on parts of a document. They are stored in it, in the map `comments`, so they are kept, undone, versioned and seen live as
 * all else; where they stand is a pair of relative positions, which survive what is written around them.
 *
 * What others wrote can be of any shape: what is no comment is left out.
 */
export class Comments extends TypedEvents<CommentsEvents> {
  readonly doc: Y.Doc;
  readonly #root: Y.Map<unknown>;
  readonly #onChange = (): void => this.emit("change");

  /** @param root the name of the map; by default `comments`. */
  constructor(doc: Y.Doc, root = ROOT) {
    super();
    this.doc = doc;
    this.#root = doc.getMap(root);
    this.#root.observeDeep(this.#onChange);
  }

  /** All comments, the oldest first. */
  all(): readonly Comment[] {
    const comments = [...this.#root].flatMap(([id, value]) => read(id, value) ?? []);
    return comments.sort((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1));
  }

  get(id: string): Comment | undefined {
    return read(id, this.#root.get(id));
  }

  /** Adds a comment. @returns its id. */
  add({ start, end, author, text = "", kind = "comment", data = null }: NewComment): string {
    const id = randomName();
    const entries = { start: Y.relativePositionToJSON(start) as unknown, end: Y.relativePositionToJSON(end) as unknown, author: { ...author }, text, kind, data, createdAt: Date.now(), resolved: false };
    this.doc.transact(() => {
      const comment = new Y.Map<unknown>(Object.entries(entries));
      comment.set("replies", new Y.Array());
      this.#root.set(id, comment);
    });
    return id;
  }

  /** Answers a comment. @returns the answer's id; undefined when there is no such comment. */
  reply(id: string, author: CommentAuthor, text: string): string | undefined {
    const replies = this.#map(id)?.get("replies");
    if (!(replies instanceof Y.Array)) return undefined;
    const reply = randomName();
    replies.push([{ id: reply, author: { ...author }, text, createdAt: Date.now() }]);
    return reply;
  }

  /** Changes what a comment says. */
  edit(id: string, text: string): void {
    this.#map(id)?.set("text", text);
  }

  /** Sets what an application keeps with a comment: any JSON value. */
  setData(id: string, data: unknown): void {
    this.#map(id)?.set("data", data);
  }

  /** Says that a comment is dealt with, or is not. */
  resolve(id: string, isResolved = true): void {
    this.#map(id)?.set("resolved", isResolved);
  }

  /** Takes a comment away, with its answers. */
  remove(id: string): void {
    this.#root.delete(id);
  }

  /**
   * Where a comment stands now in a text. Of a part whose text was deleted nothing is left: both places are the same.
   * @returns UTF-16 code units from the start; undefined when it stands in something else, or there is none.
   */
  rangeIn(id: string, text: Y.Text): { start: number; end: number } | undefined {
    const comment = this.get(id);
    if (!comment) return undefined;
    const [start, end] = [comment.start, comment.end].map((position) => Y.createAbsolutePositionFromRelativePosition(position, this.doc));
    return start?.type === text && end?.type === text ? { start: start.index, end: Math.max(start.index, end.index) } : undefined;
  }

  /** Ends what {@link on} began. The comments stay. */
  destroy(): void {
    this.#root.unobserveDeep(this.#onChange);
    this.removeAllListeners();
  }

  #map(id: string): Y.Map<unknown> | undefined {
    const value = this.#root.get(id);
    return value instanceof Y.Map ? (value as Y.Map<unknown>) : undefined;
  }
}

/** The part of a text from one place to another, so that what is written at its ends is outside of it. */
export function commentRange(text: Y.Text, start: number, end: number): { start: Y.RelativePosition; end: Y.RelativePosition } {
  return { start: Y.createRelativePositionFromTypeIndex(text, start), end: Y.createRelativePositionFromTypeIndex(text, end, -1) };
}

function read(id: string, value: unknown): Comment | undefined {
  if (!(value instanceof Y.Map)) return undefined;
  const [start, end] = [positionFrom(value.get("start")), positionFrom(value.get("end"))];
  const text = textFrom(id, Object.fromEntries(value.entries()));
  if (!start || !end || !text) return undefined;
  const kind: unknown = value.get("kind");
  const replies: unknown = value.get("replies");
  return {
    ...text,
    kind: typeof kind === "string" ? kind : "comment",
    data: value.get("data") ?? null,
    isResolved: value.get("resolved") === true,
    replies: replies instanceof Y.Array ? replies.toArray().flatMap((reply) => textFrom(undefined, reply) ?? []) : [],
    start,
    end,
  };
}

function textFrom(knownId: string | undefined, value: unknown): CommentText | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { id = knownId, author, text, createdAt } = value as Record<string, unknown>;
  if (typeof id !== "string" || typeof text !== "string" || typeof author !== "object" || author === null) return undefined;
  const { id: authorId, name, color } = author as Record<string, unknown>;
  return {
    id,
    text,
    createdAt: typeof createdAt === "number" && Number.isFinite(createdAt) ? createdAt : 0,
    author: {
      name: typeof name === "string" ? name : "",
      ...(typeof authorId === "string" && { id: authorId }),
      ...(typeof color === "string" && { color }),
    },
  };
}

function positionFrom(value: unknown): Y.RelativePosition | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  try {
    return Y.createRelativePositionFromJSON(value);
  } catch {
    return undefined;
  }
}
