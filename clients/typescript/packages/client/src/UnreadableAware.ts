import type { HubMessage, ILogger } from "@microsoft/signalr";
import { MessagePackHubProtocol } from "@microsoft/signalr-protocol-msgpack";

/**
 * MessagePack that says when it cannot read something. In JavaScript it refuses keys named `__proto__`, which anybody may publish: the
 * connection ends, and after a reconnect the same message would end the next one.
 */
export class UnreadableAware extends MessagePackHubProtocol {
  readonly #onUnreadable: () => void;

  constructor(onUnreadable: () => void) {
    super();
    this.#onUnreadable = onUnreadable;
  }

  override parseMessages(input: ArrayBuffer, logger: ILogger): HubMessage[] {
    try {
      return super.parseMessages(input, logger);
    } catch (error) {
      this.#onUnreadable();
      throw error;
    }
  }
}
