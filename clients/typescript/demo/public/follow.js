// Follows a channel with what every browser has. After a cut it comes back by itself and says the id of the last event that it got.
const parameters = new URLSearchParams(location.search);
const channel = parameters.get("channel") ?? "doc:welcome";
const source = new EventSource(`/channels/${encodeURIComponent(channel)}/events?rewind=20`);
const show = (text) => document.getElementById("messages").appendChild(document.createElement("li")).append(text);

for (const name of new Set(["chat", "titled", ...parameters.getAll("event")]))
  source.addEventListener(name, (event) => show(`${event.lastEventId} ${name} ${JSON.stringify(JSON.parse(event.data).data)}`));
source.addEventListener("collab:gap", () => show("Some messages are no longer kept"));
source.onopen = () => (document.getElementById("state").textContent = `Following ${channel}`);
source.onerror = () => (document.getElementById("state").textContent = "Cut off, coming back by itself");
