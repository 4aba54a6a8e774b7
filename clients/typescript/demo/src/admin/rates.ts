import type { Status } from "./status";

const kept = 60;

/** What the page shows over time: the last values of each number, and rates from the differences of sums. */
export class Rates {
  private previous: Status | undefined;
  private readonly series = new Map<string, number[]>();
  private rooms = new Map<string, number>();

  /** Takes in the next status. */
  add(status: Status): void {
    const before = this.previous?.node === status.node ? this.previous : undefined;
    const seconds = before ? (status.at - before.at) / 1000 : 0;
    const rate = (now: number, then: number | undefined) =>
      then === undefined || seconds <= 0 ? 0 : Math.max(0, (now - then) / seconds);
    this.push("connections", status.load.connections);
    this.push("updates", rate(status.load.updates, before?.load.updates));
    this.push("messages", rate(status.load.messages, before?.load.messages));
    this.push("deliveries", rate(status.load.deliveries, before?.load.deliveries));
    this.push("memory", status.memoryBytes);
    this.push("store", status.store.bytes);
    const offsets = new Map(before?.rooms.map((room) => [`${room.kind} ${room.name}`, room.offset]));
    this.rooms = new Map(
      status.rooms.map((room) => [`${room.kind} ${room.name}`, rate(room.offset, offsets.get(`${room.kind} ${room.name}`))]),
    );
    this.previous = status;
  }

  /** The last values, oldest first. */
  of(name: string): readonly number[] {
    return this.series.get(name) ?? [];
  }

  /** Updates or messages a second in a room. */
  ofRoom(kind: string, name: string): number {
    return this.rooms.get(`${kind} ${name}`) ?? 0;
  }

  private push(name: string, value: number): void {
    const values = this.series.get(name) ?? [];
    values.push(value);
    if (values.length > kept) values.shift();
    this.series.set(name, values);
  }
}
