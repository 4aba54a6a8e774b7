import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { LeveldbPersistence } from "y-leveldb";
import * as Y from "yjs";
import { findHost } from "../../testing/CollabHost.js";
import { eventually, openCollab, ownHost, textOf } from "./clients.js";

const HERE = dirname(fileURLToPath(import.meta.url));
const DUMP = join(HERE, "../../../../deploy/y-leveldb-dump.mjs");

test("the documents of y-websocket's server come in with all their content and formats", async () => {
  const folder = mkdtempSync(join(tmpdir(), "collab-y-leveldb-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const [levels, dump] = [join(folder, "levels"), join(folder, "dump")];
  const texts = new Map([["notes/one", "first"], ["team:v1.2", "zweites – ☃"], ["three", "third"]]);
  const persistence = new LeveldbPersistence(levels);
  for (const [name, text] of texts) {
    // As the server does it: each update by itself.
    const document = new Y.Doc();
    const stored: Promise<unknown>[] = [];
    document.on("update", (update: Uint8Array) => stored.push(persistence.storeUpdate(name, update)));
    for (const letter of text) document.getText("text").insert(document.getText("text").length, letter);
    document.getText("text").format(0, 2, { bold: true });
    document.getMap("meta").set("title", name);
    await Promise.all(stored);
  }
  await persistence.destroy();
  const host = await ownHost();
  await host.kill("SIGTERM");

  execFileSync("node", [DUMP, levels, dump], { cwd: join(HERE, ".."), encoding: "utf8" });
  const said = execFileSync("dotnet", [findHost({ withPage: false }), "import", dump, "--data", host.dataDirectory], { encoding: "utf8" });
  await host.start();

  expect(said).toContain("3 documents: 3 imported, 0 refused.");
  for (const [name, text] of texts) {
    const client = openCollab(name, host.port);
    await eventually(() => textOf(client).toString(), text);
    expect(textOf(client).toDelta()[0]).toEqual({ insert: [...text].slice(0, 2).join(""), attributes: { bold: true } });
    expect(client.doc.getMap("meta").get("title")).toBe(name);
  }
});
