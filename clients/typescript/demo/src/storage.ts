/** Reads a remembered value; undefined when there is none or the browser forbids storage. */
export function remembered(key: string): string | undefined {
  try {
    return localStorage.getItem(`collab.${key}`) ?? undefined;
  } catch {
    return undefined;
  }
}

/** Remembers a value for this browser, or forgets it. */
export function remember(key: string, value: string | undefined): void {
  try {
    if (value === undefined) localStorage.removeItem(`collab.${key}`);
    else localStorage.setItem(`collab.${key}`, value);
  } catch {
    // Without storage the page works as well, it only forgets.
  }
}
