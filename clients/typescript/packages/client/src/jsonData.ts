import { CollabError } from "./CollabError.js";

/** The most bytes of JSON that any server takes as data, and the deepest nesting. More would end the connection instead of being refused. */
const MAX_BYTES = 4 * 1024 * 1024;
const MAX_DEPTH = 60;

/** A value as JSON has it at this moment, so that every hub protocol says the same. @throws CollabError `invalid_message`, `too_large` */
export function asJson(data: unknown): unknown {
  let json: string;
  try {
    json = JSON.stringify(data) ?? "null";
  } catch (error) {
    throw new CollabError("invalid_message", `The data is no JSON value: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
  if (new TextEncoder().encode(json).length > MAX_BYTES)
    throw new CollabError("too_large", `The data of a message is at most ${MAX_BYTES} bytes of JSON, and less where the server says so.`);
  const value = JSON.parse(json) as unknown;
  if (!isWithin(value, MAX_DEPTH)) throw new CollabError("invalid_message", `The data is nested deeper than ${MAX_DEPTH} levels.`);
  return value;
}

/** Whether a value is nested no deeper than this. It looks no deeper either. */
function isWithin(value: unknown, depth: number): boolean {
  if (typeof value !== "object" || value === null) return true;
  return depth > 0 && Object.values(value).every((part) => isWithin(part, depth - 1));
}
