import { expect, test } from "vitest";
import * as Y from "yjs";
import { missingUpdate } from "../src/missingUpdate.js";

/** A document with a server's copy of it. */
function pair(): { ours: Y.Doc; server: Y.Doc } {
  const ours = new Y.Doc();
  ours.getText("text").insert(0, "hello world");
  ours.getText("text").delete(5, 1);
  const server = new Y.Doc();
  Y.applyUpdate(server, Y.encodeStateAsUpdate(ours));
  return { ours, server };
}

function missing(ours: Y.Doc, server: Y.Doc): Uint8Array | undefined {
  return missingUpdate(ours, Y.encodeStateAsUpdate(server, Y.encodeStateVector(ours)), Y.encodeStateVector(server));
}

test("nothing_is_missing_from_an_equal_document_with_deletions", () => {
  const { ours, server } = pair();
  expect(missing(ours, server)).toBeUndefined();
});

test("nothing_is_missing_when_the_server_has_more", () => {
  const { ours, server } = pair();
  server.getText("text").delete(0, 3);
  server.getText("text").insert(0, "more ");
  Y.applyUpdate(ours, Y.encodeStateAsUpdate(server));
  expect(missing(ours, server)).toBeUndefined();
});

test("an_insertion_is_missing", () => {
  const { ours, server } = pair();
  ours.getText("text").insert(0, "> ");
  Y.applyUpdate(server, missing(ours, server)!);
  expect(server.getText("text").toString()).toBe("> helloworld");
});

test("a_deletion_alone_is_missing", () => {
  const { ours, server } = pair();
  ours.getText("text").delete(0, 5);
  Y.applyUpdate(server, missing(ours, server)!);
  expect(server.getText("text").toString()).toBe("world");
  expect(missing(ours, server)).toBeUndefined();
});

test("deletions_compare_equal_however_they_are_cut_into_ranges", () => {
  const { ours, server } = pair();
  // One by one on this side, in one piece on the other.
  for (let i = 0; i < 4; i++) ours.getText("text").delete(0, 1);
  Y.applyUpdate(server, Y.encodeStateAsUpdate(ours));
  const again = new Y.Doc();
  Y.applyUpdate(again, Y.mergeUpdates([Y.encodeStateAsUpdate(server), Y.encodeStateAsUpdate(ours)]));
  expect(missing(ours, again)).toBeUndefined();
});
