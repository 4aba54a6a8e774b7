import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { connect, opened, ownHost, until } from "./clients.js";

/** A server whose documents `forms/…` must keep a map by a schema. */
async function hostWithRule(): Promise<string> {
  const file = join(mkdtempSync(join(tmpdir(), "collab-rule-")), "schema.json");
  writeFileSync(file, JSON.stringify({ type: "object", properties: { age: { type: "integer", minimum: 0 }, name: { type: "string" } }, additionalProperties: false }));
  const host = await ownHost({ "Collab:Rules:0:Documents": "forms/*", "Collab:Rules:0:Root": "form", "Collab:Rules:0:SchemaFile": file });
  return host.hubUrl;
}

test("an_edit_that_a_rule_refuses_is_taken_back_and_what_is_written_around_it_stays", async () => {
  const url = await hostWithRule();
  const ada = await opened(connect({ url }), "forms/one");
  const grace = await opened(connect({ url }), "forms/one");
  const rejections: string[] = [];
  ada.on("rejected", ({ code }) => rejections.push(code));
  const form = ada.doc.getMap("form");

  form.set("name", "Ada");
  await until(() => !ada.hasUnsyncedChanges);
  form.set("age", -1);
  form.set("name", "Countess");
  await until(() => rejections.length === 1 && !ada.hasUnsyncedChanges);
  form.set("age", 36);
  await until(() => !ada.hasUnsyncedChanges);

  await until(() => grace.doc.getMap("form").get("age") === 36);
  expect(grace.doc.getMap("form").toJSON()).toEqual(form.toJSON());
  expect(rejections).toEqual(["schema"]);
});

test("a_refused_deletion_brings_back_what_was_deleted", async () => {
  const url = await hostWithRule();
  const ada = await opened(connect({ url }), "forms/two");
  const form = ada.doc.getMap("form");
  form.set("name", "Ada");
  ada.doc.getText("notes").insert(0, "notes");
  await until(() => !ada.hasUnsyncedChanges);

  ada.doc.transact(() => {
    form.set("name", 5);
    ada.doc.getText("notes").delete(0, 5);
  });
  await until(() => form.get("name") === "Ada" && !ada.hasUnsyncedChanges);

  expect(ada.doc.getText("notes").toString()).toBe("notes");
  const late = await opened(connect({ url }), "forms/two");
  expect(late.doc.getMap("form").toJSON()).toEqual({ name: "Ada" });
  expect(late.doc.getText("notes").toString()).toBe("notes");
});
