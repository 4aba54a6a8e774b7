/** What a browser tells about its network and the page. In Node there is nothing to hear. */
export interface EnvironmentEvents {
  online(): void;
  offline(): void;
  /** The page became visible: timers may have been throttled and the network may have changed meanwhile. */
  visible(): void;
  /** The page is being left. It may come back from the back/forward cache. */
  hidden(): void;
  /** The page came back from the back/forward cache. */
  restored(): void;
}

/** @returns a function that stops listening. */
export function listenToEnvironment(events: EnvironmentEvents): () => void {
  if (typeof window === "undefined" || typeof document === "undefined") return () => {};
  const listening = new AbortController();
  const { signal } = listening;
  window.addEventListener("online", () => events.online(), { signal });
  window.addEventListener("offline", () => events.offline(), { signal });
  window.addEventListener("pagehide", () => events.hidden(), { signal });
  window.addEventListener("pageshow", (event) => event.persisted && events.restored(), { signal });
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && events.visible(), { signal });
  return () => listening.abort();
}

/** False when the browser says that there is no network. A hint only: it is also said of machines that reach themselves. */
export function seemsOnline(): boolean {
  return typeof navigator === "undefined" || navigator.onLine !== false;
}
