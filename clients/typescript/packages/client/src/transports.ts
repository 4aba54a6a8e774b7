import type { HubProtocol } from "./HubContract.js";

/** How messages travel. */
export type Transport = "webSockets" | "serverSentEvents" | "longPolling";

/** A transport, or `"auto"`: the best one that the network lets through. */
export type TransportMode = "auto" | Transport;

/** The best transport first. */
const LADDER: readonly Transport[] = ["webSockets", "serverSentEvents", "longPolling"];

/** How many attempts in a row WebSockets get before a fallback, once they have worked: a restarting server is no reason to fall back. */
const PATIENCE = 3;

/** The hub protocol for a transport: server-sent events are text, which MessagePack cannot be. */
export function protocolFor(transport: Transport, wanted: HubProtocol): HubProtocol {
  return transport === "serverSentEvents" ? "json" : wanted;
}

/**
 * Chooses the transports that an attempt to connect tries in turn. SignalR's own fallback keeps one protocol for all transports and
 * so passes over server-sent events when that is MessagePack; here each transport has its own.
 */
export class TransportChoice {
  #webSocketsWorked = false;
  #failures = 0;

  constructor(readonly mode: TransportMode) {}

  /** What the next attempt should try, in this order. */
  candidates(): readonly Transport[] {
    if (this.mode !== "auto") return [this.mode];
    return this.#webSocketsWorked && this.#failures < PATIENCE ? ["webSockets"] : LADDER;
  }

  succeeded(transport: Transport): void {
    this.#failures = 0;
    this.#webSocketsWorked = transport === "webSockets";
  }

  failed(): void {
    this.#failures++;
  }
}
