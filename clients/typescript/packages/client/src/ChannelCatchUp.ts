import type { ChannelMessage } from "./ChannelContract.js";
import type { ChannelReader } from "./ChannelReader.js";
import { asCollabError } from "./ChannelSession.js";
import type { ChannelSession } from "./ChannelSession.js";
import { positionBefore } from "./positions.js";

/** How many messages one call reads. */
const PAGE = 1_000;

/**
 * Hands a reader, who came while the channel was subscribed to already, what he wants of the history up to now. What arrives meanwhile
 * he holds.
 */
export async function readHistory(session: ChannelSession, channel: string, reader: ChannelReader): Promise<void> {
  const after = reader.position ?? reader.options.after;
  const { rewind } = reader.options;
  if (after === undefined) return readNewest(session, channel, reader, rewind ?? 0, true);
  try {
    await readAfter(session, channel, reader, after);
  } catch (error) {
    if (asCollabError(error).code !== "position_lost") throw error;
    await readNewest(session, channel, reader, rewind, false);
  }
}

async function readAfter(session: ChannelSession, channel: string, reader: ChannelReader, start: string): Promise<void> {
  for (let after = start; ; ) {
    const { messages, position, next } = await session.call("GetHistory", channel, { after, limit: PAGE });
    reader.follows(after, position, true);
    for (const message of messages) reader.read(message);
    reader.reach(next ?? position);
    if (!next) return;
    after = next;
  }
}

/** @param count how many; undefined for all that the history has, which is read from its end as nobody knows where it begins. */
async function readNewest(session: ChannelSession, channel: string, reader: ChannelReader, count: number | undefined, recovered: boolean): Promise<void> {
  const { position } = await session.call("GetHistory", channel, { limit: 1 });
  let messages: readonly ChannelMessage[] = [];
  for (let before: string | undefined; count === undefined || messages.length < count; ) {
    const limit = Math.min(PAGE, (count ?? Infinity) - messages.length);
    const page = await session.call("GetHistory", channel, before === undefined ? { limit } : { before, limit });
    messages = [...page.messages, ...messages];
    if (!page.next) break;
    before = page.next;
  }
  const last = messages.at(-1)?.position ?? position;
  reader.follows(messages[0] ? positionBefore(messages[0]) : position, last, recovered);
  for (const message of messages) reader.read(message);
  reader.reach(position);
}
