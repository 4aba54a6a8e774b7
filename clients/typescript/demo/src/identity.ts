import { remember, remembered } from "./storage";

/** Who writes: what others see at the caret. */
export interface Identity {
  readonly name: string;
  /** A hexadecimal colour on which white text is readable. */
  readonly color: string;
}

const COLORS = ["#d6336c", "#ae3ec9", "#7048e8", "#4263eb", "#1971c2", "#0c8599", "#099268", "#2b8a3e", "#c2570c", "#b0413e"];
const FIRST = ["Amber", "Bright", "Calm", "Clever", "Gentle", "Keen", "Lively", "Lucky", "Noble", "Quiet", "Swift", "Witty"];
const SECOND = ["Badger", "Crane", "Dolphin", "Falcon", "Finch", "Fox", "Heron", "Lynx", "Marten", "Otter", "Panda", "Wren"];

/** The longest name, in characters. */
export const MAX_NAME_LENGTH = 32;

/** This browser's identity; one with a friendly name is made up the first time. A name in the address is used but not remembered. */
export function loadIdentity(nameInAddress: string | null): Identity {
  const color = remembered("color") ?? pick(COLORS);
  const name = remembered("name") ?? `${pick(FIRST)} ${pick(SECOND)}`;
  if (nameInAddress) return { name: nameInAddress.slice(0, MAX_NAME_LENGTH), color: colorOf(nameInAddress) };
  saveIdentity({ name, color });
  return { name, color };
}

export function saveIdentity({ name, color }: Identity): void {
  remember("name", name);
  remember("color", color);
}

/** Up to two initials. */
export function initials(name: string): string {
  const words = name.trim().split(/\s+/);
  const letters = words.length > 1 ? [words[0], words.at(-1)] : [words[0]];
  return letters.map((word) => [...(word ?? "?")][0] ?? "?").join("").toUpperCase();
}

function colorOf(name: string): string {
  let hash = 0;
  for (const character of name) hash = (hash * 31 + character.codePointAt(0)!) >>> 0;
  return COLORS[hash % COLORS.length]!;
}

function pick<T>(choices: readonly T[]): T {
  return choices[Math.floor(Math.random() * choices.length)]!;
}
