// Writes each document of a y-leveldb folder (the store of y-websocket's server) into a file that `import` reads.
// Stop that server, and run this in its folder, where its packages are:  node y-leveldb-dump.mjs <leveldb folder> <new folder>
import { mkdir, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";

const [from, to] = process.argv.slice(2);
if (!from || !to) {
  console.error("node y-leveldb-dump.mjs <leveldb folder> <new folder>");
  process.exit(1);
}

// Of the folder in which it is run: the store must be read by the versions that wrote it.
const require = createRequire(resolve("package.json"));
const { LeveldbPersistence } = require("y-leveldb");
const { encodeStateAsUpdate } = require("yjs");

/** The names that `import` and `export` give files: each part of an id as in a URL, dots too. */
const fileOf = (id) => `${id.split("/").map((part) => encodeURIComponent(part).replaceAll(".", "%2E")).join("/")}.bin`;

const persistence = new LeveldbPersistence(from);
const names = await persistence.getAllDocNames();
for (const name of names) {
  const document = await persistence.getYDoc(name);
  const file = join(to, fileOf(name));
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, encodeStateAsUpdate(document));
  document.destroy();
}
await persistence.destroy();
console.log(`${names.length} documents are in ${to}`);
