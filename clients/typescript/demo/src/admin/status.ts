/** What `GET /admin/status` answers. Sums count from the node's start. */
export interface Load {
  readonly connections: number;
  readonly documents: number;
  readonly channels: number;
  readonly updates: number;
  readonly messages: number;
  readonly deliveries: number;
}

export interface Room {
  readonly kind: "document" | "channel";
  readonly name: string;
  readonly members: number;
  readonly offset: number;
  readonly bytes: number;
}

export interface SlowReader {
  readonly connection: string;
  readonly user: string | null;
  readonly transport: string;
  readonly waitingBytes: number;
  readonly behind: number;
}

export interface Status {
  readonly node: string;
  readonly version: string;
  readonly startedAt: number;
  readonly at: number;
  readonly memoryBytes: number;
  readonly load: Load;
  readonly transports: Readonly<Record<string, number>>;
  readonly waitingBytes: number;
  readonly store: { readonly isAvailable: boolean; readonly reason: string | null; readonly bytes: number };
  readonly backplane: { readonly isShared: boolean; readonly isConnected: boolean };
  readonly nodes: readonly { readonly node: string; readonly address: string; readonly load: Load }[];
  readonly rooms: readonly Room[];
  readonly slowReaders: readonly SlowReader[];
}

/** The server does not let the caller administer it: `401` when it does not know him, `403` when he may not. */
export class NotAllowed extends Error {
  constructor(readonly status: 401 | 403) {
    super(status === 401 ? "not signed in" : "not an administrator");
  }
}

/**
 * Asks for the status.
 * @param token A bearer token; without one the browser's cookies are what there is.
 */
export async function readStatus(token: string | undefined): Promise<Status> {
  const answer = await fetch("/admin/status", {
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    cache: "no-store",
  });
  if (answer.status === 401 || answer.status === 403) throw new NotAllowed(answer.status);
  if (!answer.ok) throw new Error(`the server answers ${answer.status}`);
  return (await answer.json()) as Status;
}
