import { randomUUID } from "node:crypto";
import { CollabConnection, CollabProvider } from "@collab/client";
import { HocuspocusProvider as Hocuspocus2, HocuspocusProviderWebsocket as HocuspocusSocket2 } from "hocuspocus-provider-2";
import { HocuspocusProvider as Hocuspocus3, HocuspocusProviderWebsocket as HocuspocusSocket3 } from "hocuspocus-provider-3";
import type { HocuspocusProviderConfiguration } from "hocuspocus-provider-3";
import { HocuspocusProvider as Hocuspocus4, HocuspocusProviderWebsocket as HocuspocusSocket4 } from "hocuspocus-provider-4";
import { expect, inject, onTestFinished, vi } from "vitest";
import { WebSocket } from "ws";
import { WebsocketProvider as YWebSocket1 } from "y-websocket-1";
import { WebsocketProvider as YWebSocket2 } from "y-websocket-2";
import { WebsocketProvider as YWebSocket3 } from "y-websocket-3";
import * as Y from "yjs";
import { CollabHost, tokenOf } from "../../testing/CollabHost.js";

// Node 20 has none, and the providers look at its constants.
globalThis.WebSocket = WebSocket as unknown as typeof globalThis.WebSocket;

/** The released major versions of y-websocket's client, as they come from npm. */
export const Y_WEBSOCKETS = [
  ["y-websocket 1", YWebSocket1],
  ["y-websocket 2", YWebSocket2],
  ["y-websocket 3", YWebSocket3],
] as const;

export type YWebSocketClass = (typeof Y_WEBSOCKETS)[number][1];
export type YWebSocket = InstanceType<YWebSocketClass>;

/** One major version of Hocuspocus' client: the provider of a document, and the WebSocket that several share. */
export interface HocuspocusVersion {
  readonly Provider: typeof Hocuspocus3;
  readonly Socket: typeof HocuspocusSocket3;
}

/** The majors of Hocuspocus' client, as they come from npm. What the tests use of them is the same in all. */
export const HOCUSPOCUS: readonly (readonly [string, HocuspocusVersion])[] = [
  ["hocuspocus 2", { Provider: Hocuspocus2, Socket: HocuspocusSocket2 } as unknown as HocuspocusVersion],
  ["hocuspocus 3", { Provider: Hocuspocus3, Socket: HocuspocusSocket3 }],
  ["hocuspocus 4", { Provider: Hocuspocus4, Socket: HocuspocusSocket4 } as unknown as HocuspocusVersion],
];

/** A WebSocket of Hocuspocus' client that ends with the test. */
export function openHocuspocusSocket({ Socket }: HocuspocusVersion, port = inject("hostPort")): HocuspocusSocket3 {
  const socket = new Socket({ url: `ws://127.0.0.1:${port}/hocuspocus`, delay: 100, minDelay: 50, maxDelay: 200, jitter: false, WebSocketPolyfill: WebSocket });
  onTestFinished(() => socket.destroy());
  return socket;
}

/** A client of Hocuspocus that ends with the test, over a WebSocket of its own unless one is given. */
export function openHocuspocus(
  version: HocuspocusVersion,
  documentId: string,
  { socket, port, ...options }: Partial<HocuspocusProviderConfiguration> & { socket?: HocuspocusSocket3; port?: number } = {},
): Hocuspocus3 {
  const websocketProvider = socket ?? openHocuspocusSocket(version, port);
  const provider = new version.Provider({ name: documentId, document: new Y.Doc(), websocketProvider, token: tokenOf("hocuspocus"), ...options });
  // Since version 3 a provider on a given WebSocket waits to be attached.
  if (typeof provider.attach === "function") provider.attach();
  onTestFinished(() => provider.destroy());
  return provider;
}

/** A document id of one test's own. */
export function newDocument(): string {
  return `tests/${randomUUID()}`;
}

/** A server of one test's own. */
export async function ownHost(settings: Record<string, string> = {}): Promise<CollabHost> {
  const host = await CollabHost.start({ settings });
  onTestFinished(() => host.dispose());
  return host;
}

/** How a client of y-websocket connects. */
export interface YWebSocketOptions {
  readonly port?: number;
  /** Sent as a header, as a program can and a page cannot. */
  readonly token?: string;
  readonly params?: Record<string, string>;
  readonly resyncInterval?: number;
}

/** A client of y-websocket that ends with the test. */
export function openYWebSocket(Client: YWebSocketClass, documentId: string, options: YWebSocketOptions = {}): YWebSocket {
  class Socket extends WebSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols, options.token ? { headers: { authorization: `Bearer ${options.token}` } } : {});
    }
  }
  const provider = new Client(`ws://127.0.0.1:${options.port ?? inject("hostPort")}/yjs`, documentId, new Y.Doc(), {
    WebSocketPolyfill: Socket as unknown as typeof globalThis.WebSocket,
    disableBc: true,
    params: options.params ?? {},
    resyncInterval: options.resyncInterval ?? -1,
    maxBackoffTime: 200,
  });
  onTestFinished(() => provider.destroy());
  return provider;
}

/** A client of Collab's own that ends with the test. */
export function openCollab(documentId: string, port = inject("hostPort")): CollabProvider {
  const connection = new CollabConnection({ url: `http://127.0.0.1:${port}/hubs/collab`, backoff: { maximum: 500 } });
  onTestFinished(() => connection.destroy());
  return new CollabProvider(connection, documentId, new Y.Doc());
}

/** How long a test waits for what is to come. */
export const PATIENCE = { timeout: 10_000, interval: 20 };

/** Waits until a text is this. */
export async function eventually(text: () => string, wanted: string): Promise<void> {
  await vi.waitFor(() => expect(text()).toBe(wanted), PATIENCE);
}

/** The text that all tests edit. */
export function textOf(provider: { readonly doc: Y.Doc } | { readonly document: Y.Doc }): Y.Text {
  return ("doc" in provider ? provider.doc : provider.document).getText("text");
}
