import { h } from "../dom";
import type { DeadLetter, EventsClient, Resent, Sink } from "./events";
import { duration } from "./format";
import { number, pill, table } from "./views";

/** The sinks that events go to, and what they have not taken. Nothing is shown where there is no sink. */
export class EventsPanel {
  readonly element = h("div", { class: "events-out" });
  private readonly sinks = h("div");
  private readonly letters = h("div");
  private readonly said = h("p", { class: "said", role: "status" });
  private shown = "";
  private opened: string | undefined;

  constructor(private readonly client: EventsClient) {
    this.element.append(this.sinks, this.letters, this.said);
  }

  /** Asks anew, and shows what has changed: a button that is being pressed stays where it is. */
  async refresh(): Promise<void> {
    const sinks = await this.client.sinks();
    const letters = this.opened === undefined ? [] : await this.client.deadLetters(this.opened);
    const now = JSON.stringify([sinks, letters, this.opened]);
    this.element.hidden = sinks.length === 0;
    if (now === this.shown) return;
    this.shown = now;
    this.sinks.replaceChildren(this.sinkTable(sinks));
    this.letters.replaceChildren(...(this.opened === undefined ? [] : [this.letterTable(this.opened, letters)]));
  }

  private sinkTable(sinks: readonly Sink[]): HTMLElement {
    return table(
      "Events out",
      "",
      ["Sink", "State", "Waiting", "Rooms behind", "Last delivered", "Dead letters", ""],
      sinks.map((sink) => [
        sink.name,
        stateOf(sink),
        number(sink.waiting),
        number(sink.roomsBehind),
        sink.deliveredAt === null ? "never" : `${duration(Date.now() - sink.deliveredAt)} ago`,
        number(sink.deadLetters),
        h(
          "span",
          { class: "actions" },
          sink.disabled !== null && this.button("Enable", () => this.client.enable(sink.name)),
          (sink.deadLetters > 0 || this.opened === sink.name) &&
            this.button(this.opened === sink.name ? "Hide letters" : "Show letters", () => {
              this.opened = this.opened === sink.name ? undefined : sink.name;
            }),
        ),
      ]),
    );
  }

  private letterTable(sink: string, letters: readonly DeadLetter[]): HTMLElement {
    const panel = table(
      `Dead letters of ${sink}`,
      "There is none any more.",
      ["Event", "Room", "When", "Why", "Attempts", ""],
      letters.map((letter) => [
        h("code", { title: JSON.stringify(letter.event, undefined, 2) }, letter.type),
        letter.subject,
        new Date(letter.time).toLocaleString(),
        letter.reason,
        number(letter.attempts),
        h(
          "span",
          { class: "actions" },
          this.button("Send again", async () => this.say(await this.client.resend(sink, letter.id))),
          this.button("Forget", () => this.client.forget(sink, letter.id)),
        ),
      ]),
    );
    if (letters.length > 1) panel.append(h("p", { class: "foot" }, this.button("Send all again", async () => this.say(await this.client.resend(sink)))));
    return panel;
  }

  private button(label: string, act: () => Promise<void> | void): HTMLElement {
    const press = async () => {
      this.said.textContent = "";
      try {
        await act();
        await this.refresh();
      } catch (error) {
        this.said.textContent = error instanceof Error ? error.message : String(error);
      }
    };
    return h("button", { type: "button", class: "small", onclick: () => void press() }, label);
  }

  private say(resent: Resent): void {
    const delivered = resent.delivered.length === 1 ? "1 event was delivered." : `${resent.delivered.length} events were delivered.`;
    this.said.textContent = resent.fault === null ? delivered : `${delivered} The next was not: ${resent.fault}`;
  }
}

function stateOf(sink: Sink): HTMLElement {
  if (sink.disabled !== null) return pill("Disabled", "bad", sink.disabled);
  return sink.fault === null ? pill("Delivering", "good", "what happens is delivered") : pill("Failing", "bad", sink.fault);
}
