/**
 * The stable codes of errors. The first group comes from the server, the second from this client.
 *
 * - `unauthorized`: the server refused the connection itself (HTTP 401 or 403).
 * - `unreachable`: the connection could not be opened.
 * - `disconnected`: the connection ended before the server answered.
 * - `already_open`: the document is open on this connection through another provider.
 * - `queue_full`: more messages wait to be published than the connection keeps.
 * - `unsubscribed`: the subscription was ended before it stood.
 * - `internal`: the server failed and did not say why.
 */
export type CollabErrorCode =
  | "forbidden"
  | "invalid_name"
  | "invalid_update"
  | "rejected"
  | "invalid_state_vector"
  | "invalid_awareness"
  | "invalid_message"
  | "invalid_position"
  | "invalid_argument"
  | "position_lost"
  | "too_large"
  | "rate_limited"
  | "too_many"
  | "not_joined"
  | "unavailable"
  | "unauthorized"
  | "unreachable"
  | "disconnected"
  | "already_open"
  | "queue_full"
  | "unsubscribed"
  | "internal"
  // Servers may know codes that this client does not.
  | (string & {});

/** An error with a stable `code`. */
export class CollabError extends Error {
  override readonly name = "CollabError";

  constructor(
    /** What went wrong, for programs. */
    readonly code: CollabErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }

  /** Whether the same call can succeed later without anybody changing anything. */
  get isTransient(): boolean {
    return this.code === "unavailable" || this.code === "rate_limited" || this.code === "internal";
  }
}

/**
 * Reads what SignalR rejects an invocation with. A hub's error arrives as
 * `An unexpected error occurred invoking 'PushUpdate' on the server. HubException: invalid_update: text`.
 * @returns undefined when the error is not the server's answer, so that it is the connection which failed.
 */
export function serverError(error: unknown): CollabError | undefined {
  const text = error instanceof Error ? error.message : String(error);
  const coded = /HubException: ([a-z][a-z0-9_]*): ([\s\S]*)$/.exec(text);
  if (coded) return new CollabError(coded[1]!, coded[2]!, { cause: error });
  if (/because user is unauthorized/.test(text)) return new CollabError("forbidden", text, { cause: error });
  if (/HubException: |^(An unexpected error occurred invoking|Failed to invoke) '/.test(text))
    return new CollabError("internal", text, { cause: error });
  return undefined;
}
