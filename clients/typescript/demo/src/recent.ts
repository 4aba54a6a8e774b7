import { isDocumentId } from "./documentId";
import { remember, remembered } from "./storage";

/** A document in the list. */
export interface ListedDocument {
  readonly id: string;
  /** Its first line, where it was opened here before. */
  readonly title?: string;
}

const MAX_RECENT = 30;

/** The documents opened in this browser, the latest first. */
export function recentDocuments(): ListedDocument[] {
  try {
    const list: unknown = JSON.parse(remembered("recent") ?? "[]");
    return Array.isArray(list) ? list.filter(isListed) : [];
  } catch {
    return [];
  }
}

/** Puts a document at the head of the list, or gives it a new title in its place. */
export function noteDocument(id: string, title?: string): void {
  const list = recentDocuments();
  const known = list.find((entry) => entry.id === id);
  const entry = { id, ...((title ?? known?.title) !== undefined && { title: title ?? known!.title! }) };
  const next = title === undefined || !known ? [entry, ...list.filter((other) => other.id !== id)] : list.map((e) => (e.id === id ? entry : e));
  remember("recent", JSON.stringify(next.slice(0, MAX_RECENT)));
}

export function forgetDocument(id: string): void {
  remember("recent", JSON.stringify(recentDocuments().filter((entry) => entry.id !== id)));
}

/** The documents that the server lists; empty when it has no such list or refuses it. */
export async function serverDocuments(): Promise<ListedDocument[]> {
  try {
    const response = await fetch(new URL("documents", document.baseURI), { headers: { Accept: "application/json" } });
    if (!response.ok || !response.headers.get("Content-Type")?.includes("json")) return [];
    const body: unknown = await response.json();
    const list: unknown = Array.isArray(body) ? body : (body as { documents?: unknown }).documents;
    if (!Array.isArray(list)) return [];
    return list.map((entry: unknown) => (typeof entry === "string" ? { id: entry } : entry)).filter(isListed).map(({ id }) => ({ id }));
  } catch {
    return [];
  }
}

function isListed(entry: unknown): entry is ListedDocument {
  if (typeof entry !== "object" || entry === null) return false;
  const { id, title } = entry as Record<string, unknown>;
  return typeof id === "string" && isDocumentId(id) && (title === undefined || typeof title === "string");
}
