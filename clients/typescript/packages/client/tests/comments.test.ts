import { expect, test } from "vitest";
import * as Y from "yjs";
import { commentRange, Comments } from "../src/index.js";
import { connect, newDocument, opened, until } from "./clients.js";

const ada = { name: "Ada", id: "ada", color: "#7048e8" };

function textWith(content: string): { doc: Y.Doc; text: Y.Text; comments: Comments } {
  const doc = new Y.Doc();
  const text = doc.getText("text");
  text.insert(0, content);
  return { doc, text, comments: new Comments(doc) };
}

test("a_comment_stays_at_its_words_whatever_is_written_around_them", () => {
  const { text, comments } = textWith("one two three");
  const id = comments.add({ ...commentRange(text, 4, 7), author: ada, text: "why two?" });
  const words = (): string => text.toString().slice(comments.rangeIn(id, text)!.start, comments.rangeIn(id, text)!.end);
  expect(words()).toBe("two");

  text.insert(0, ">> ");
  text.insert(7, "x");
  text.insert(11, "y");
  text.insert(9, "-");
  expect(text.toString()).toBe(">> one xt-woy three");
  expect(words()).toBe("t-wo");

  text.delete(8, 4);
  expect(comments.rangeIn(id, text)).toEqual({ start: 8, end: 8 });
  expect(comments.get(id)?.text).toBe("why two?");
});

test("comments_are_answered_edited_resolved_and_taken_away", () => {
  const { text, comments } = textWith("text");
  let changes = 0;
  comments.on("change", () => changes++);
  const id = comments.add({ ...commentRange(text, 0, 4), author: ada, text: "first", data: { priority: 1 } });
  comments.reply(id, { name: "Grace" }, "second");
  comments.edit(id, "first, edited");
  comments.setData(id, { priority: 2 });
  comments.resolve(id);

  const comment = comments.get(id)!;
  expect(comment).toMatchObject({ id, kind: "comment", text: "first, edited", author: ada, data: { priority: 2 }, isResolved: true });
  expect(comment.replies.map(({ text, author }) => [text, author.name])).toEqual([["second", "Grace"]]);
  expect(changes).toBe(5);
  comments.remove(id);
  expect(comments.all()).toEqual([]);
  expect(comments.reply(id, ada, "late")).toBeUndefined();
});

test("what_is_no_comment_is_left_out", () => {
  const { doc, text, comments } = textWith("text");
  const root = doc.getMap("comments");
  root.set("a", 5);
  root.set("b", new Y.Map([["text", "no place"]]));
  root.set("c", new Y.Map<unknown>([["text", 7], ["start", {}], ["end", {}], ["author", {}]]));
  const id = comments.add({ ...commentRange(text, 0, 1), author: ada, kind: "highlight" });
  (root.get(id) as Y.Map<unknown>).set("replies", new Y.Array());
  ((root.get(id) as Y.Map<unknown>).get("replies") as Y.Array<unknown>).push([1, { text: "no author" }]);

  expect(comments.all().map(({ id, kind, replies }) => [id, kind, replies.length])).toEqual([[id, "highlight", 0]]);
});

test("comments_are_seen_by_others_and_kept_with_the_document", async () => {
  const id = newDocument();
  const [one, two] = [await opened(connect(), id), await opened(connect(), id)];
  const text = one.doc.getText("text");
  text.insert(0, "one two three");
  const [mine, theirs] = [new Comments(one.doc), new Comments(two.doc)];
  const comment = mine.add({ ...commentRange(text, 4, 7), author: ada, text: "here" });
  await until(() => theirs.get(comment)?.text === "here");

  two.doc.getText("text").insert(0, "zero ");
  theirs.reply(comment, { name: "Grace" }, "I see");
  await until(() => mine.get(comment)?.replies.length === 1);
  expect(mine.rangeIn(comment, text)).toEqual({ start: 9, end: 12 });

  const later = await opened(connect(), id);
  await until(() => new Comments(later.doc).get(comment)?.replies[0]?.text === "I see");
});
