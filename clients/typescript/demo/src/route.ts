import { isDocumentId } from "./documentId";

/** The document that two fresh windows share. */
const DEFAULT_DOCUMENT = "welcome";

/** The address of a document within the page: `#/d/<document id>`. */
export function documentHref(documentId: string): string {
  return `#/d/${documentId}`;
}

/** Turns the plain address `/d/<document id>`, which is nicer to pass on, into the page's own. */
export function adoptPlainAddress(): void {
  if (location.pathname.startsWith("/d/")) history.replaceState(null, "", `/${location.search}#${location.pathname}`);
}

/** The document that the address names; undefined when what it names is no document id. */
export function currentDocumentId(): string | undefined {
  const hash = location.hash.replace(/^#\/?/, "");
  if (hash === "") return DEFAULT_DOCUMENT;
  const documentId = safelyDecoded(hash.replace(/^d\//, ""));
  return hash.startsWith("d/") && isDocumentId(documentId) ? documentId : undefined;
}

function safelyDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
