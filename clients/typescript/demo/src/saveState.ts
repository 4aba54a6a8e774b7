import type { CollabProvider } from "@collab/client";
import { h } from "./dom";
import { icon } from "./icons";

/** Says whether everything written here is durable on the server. "Saved" is shown only when the server has said so. */
export function createSaveState(provider: CollabProvider): HTMLElement {
  const element = h("span", { class: "save-state", role: "status", "data-testid": "save-state" });
  const render = (): void => {
    const state = saveState(provider);
    if (element.dataset["state"] === state.name) return;
    element.dataset["state"] = state.name;
    element.replaceChildren(icon(state.icon, 16), h("span", { class: "save-text" }, state.text));
  };
  for (const event of ["status", "unacknowledged", "synced", "access", "error"] as const) provider.on(event, render);
  render();
  return element;
}

function saveState(provider: CollabProvider): { name: string; icon: "check" | "cloud" | "cloudOff" | "eye"; text: string } {
  if (provider.synced && provider.access === "read") return { name: "readonly", icon: "eye", text: "View only" };
  if (!provider.hasUnsyncedChanges)
    return provider.synced ? { name: "saved", icon: "check", text: "Saved" } : { name: "loading", icon: "cloud", text: "Connecting" };
  return provider.synced ? { name: "saving", icon: "cloud", text: "Saving" } : { name: "waiting", icon: "cloudOff", text: "Not saved yet" };
}
