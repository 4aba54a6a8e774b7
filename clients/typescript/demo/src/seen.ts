import { remember, remembered } from "./storage";

/** How many channels are remembered. */
const MAX_CHANNELS = 50;

/** The position of the last message that was seen in a channel on this browser; undefined when none was. */
export function seenPosition(channel: string): string | undefined {
  return entries().find(([name]) => name === channel)?.[1];
}

export function markSeen(channel: string, position: string): void {
  const others = entries().filter(([name]) => name !== channel);
  remember("seen", JSON.stringify([[channel, position], ...others].slice(0, MAX_CHANNELS)));
}

function entries(): [channel: string, position: string][] {
  try {
    const list: unknown = JSON.parse(remembered("seen") ?? "[]");
    return Array.isArray(list) ? list.filter((entry): entry is [string, string] => Array.isArray(entry) && entry.every((part) => typeof part === "string")) : [];
  } catch {
    return [];
  }
}
