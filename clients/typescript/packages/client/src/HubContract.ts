import { fromBase64, toBase64 } from "lib0/buffer";
import type { ChannelMethods } from "./ChannelContract.js";

/** `"read"`: changes made here are not sent. `"write"`: they are. */
export type DocumentAccess = "read" | "write";

/** What `SyncDocument` returns. */
export interface SyncedDocument {
  /** What the caller lacks, as a Yjs update (format v1). It carries all deletions that the server knows. */
  readonly update: Uint8Array;
  /** What the server has, as a Yjs state vector. */
  readonly stateVector: Uint8Array;
  /** The position of the document's log that `update` brings the caller to; opaque. */
  readonly position: string;
}

/** What `JoinDocument` returns. */
export interface JoinedDocument extends SyncedDocument {
  readonly access: DocumentAccess;
  /** The states of those present, as a y-protocols awareness update. */
  readonly awareness: Uint8Array;
}

/** The methods of the hub that this client calls; `docs/protocol.md` describes them. */
export interface HubMethods extends ChannelMethods {
  JoinDocument(documentId: string, stateVector: Uint8Array): JoinedDocument;
  SyncDocument(documentId: string, stateVector: Uint8Array): SyncedDocument;
  /** Returns the update's position once the update is durable. */
  PushUpdate(documentId: string, update: Uint8Array): string;
  PushAwareness(documentId: string, awareness: Uint8Array): void;
  LeaveDocument(documentId: string): void;
}

/** The hub protocol: `messagepack` is compact and binary, `json` is text. */
export type HubProtocol = "messagepack" | "json";

const BINARY_FIELDS = ["update", "stateVector", "awareness"];

/** Bytes are base64 in the JSON protocol and binary in MessagePack. */
export function toWire(value: unknown, protocol: HubProtocol): unknown {
  return value instanceof Uint8Array && protocol === "json" ? toBase64(value) : value;
}

/** The reverse of {@link toWire} for an argument that is known to be bytes. */
export function bytesFromWire(value: unknown): Uint8Array {
  return typeof value === "string" ? fromBase64(value) : (value as Uint8Array);
}

/** The reverse of {@link toWire} for a method's result. */
export function resultFromWire(result: unknown): unknown {
  if (typeof result !== "object" || result === null || Array.isArray(result)) return result;
  const decoded: Record<string, unknown> = { ...result };
  for (const field of BINARY_FIELDS) if (typeof decoded[field] === "string") decoded[field] = bytesFromWire(decoded[field]);
  return decoded;
}
