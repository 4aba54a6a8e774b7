// A live table in a page: the rows are loaded once, and from then on the channel of the table says what has changed.
const table = new Map();
const rows = document.getElementById("rows");
const state = document.getElementById("state");

const stream = new EventSource("/channels/db%3Apublic.tasks/events");
stream.addEventListener("insert", ({ data }) => put(JSON.parse(data).data.record));
stream.addEventListener("update", ({ data }) => put(JSON.parse(data).data.record));
stream.addEventListener("delete", ({ data }) => remove(JSON.parse(data).data.oldRecord.id));
stream.addEventListener("truncate", () => [...table.keys()].forEach(remove));
// Changes were missed: what is there now is loaded anew.
stream.addEventListener("collab:gap", () => void load());
stream.onopen = () => {
  state.textContent = "Live";
  // Loaded after the stream is open: no change can fall in between. One that is in both is put twice, which changes nothing.
  if (table.size === 0) void load();
};
stream.onerror = () => (state.textContent = "Reconnecting");

document.getElementById("new").addEventListener("submit", async (event) => {
  event.preventDefault();
  const title = document.getElementById("title");
  await send("POST", "/tasks", { title: title.value });
  title.value = "";
  title.focus();
});

async function load() {
  const now = await read();
  if (now === undefined) return void setTimeout(() => void load(), 1000);
  const ids = new Set(now.map((row) => row.id));
  [...table.keys()].filter((id) => !ids.has(id)).forEach(remove);
  now.forEach(put);
  show();
}

/** The rows as they are now; nothing while the server cannot be reached. */
async function read() {
  try {
    const answer = await fetch("/tasks");
    return answer.ok ? await answer.json() : undefined;
  } catch {
    return undefined;
  }
}

function put(row) {
  const known = table.get(row.id) ?? make(row.id);
  known.title.textContent = row.title;
  known.done.checked = row.done;
  known.element.classList.toggle("done", row.done);
  // The color says that something has just changed.
  known.element.classList.remove("changed");
  requestAnimationFrame(() => known.element.classList.add("changed"));
  show();
}

function remove(id) {
  table.get(id)?.element.remove();
  table.delete(id);
  show();
}

/** Makes the row of a task, in the order of ids. */
function make(id) {
  const element = document.createElement("tr");
  const [number, title, done, actions] = Array.from({ length: 4 }, () => element.appendChild(document.createElement("td")));
  number.textContent = id;
  const check = done.appendChild(Object.assign(document.createElement("input"), { type: "checkbox", ariaLabel: `Task ${id} is done` }));
  check.addEventListener("change", () => void send("PUT", `/tasks/${id}`, { done: check.checked }));
  const button = actions.appendChild(Object.assign(document.createElement("button"), { type: "button", textContent: "Delete", ariaLabel: `Delete task ${id}` }));
  button.addEventListener("click", () => void send("DELETE", `/tasks/${id}`));
  const made = { element, title, done: check };
  const next = [...table.keys()].filter((other) => other > id).sort((a, b) => a - b)[0];
  rows.insertBefore(element, next === undefined ? null : table.get(next).element);
  table.set(id, made);
  return made;
}

function show() {
  document.getElementById("empty").hidden = table.size > 0;
}

async function send(method, path, body) {
  try {
    const answer = await fetch(path, { method, headers: { "content-type": "application/json" }, body: body && JSON.stringify(body) });
    if (!answer.ok) state.textContent = await answer.text();
  } catch {
    // Whether it was done is seen when the stream is back.
    state.textContent = "Reconnecting";
  }
}
