/** Document ids: 1 to 200 characters of `A-Z a-z 0-9 . _ ~ : @ - /`, with no empty segment between slashes. */
const VALID = /^(?=.{1,200}$)[\w.~:@-]+(\/[\w.~:@-]+)*$/;

const FIRST = ["amber", "brisk", "calm", "clear", "cobalt", "copper", "early", "gentle", "golden", "hidden", "ivory", "lucid", "mellow", "north", "quiet", "silver", "still", "velvet", "vivid", "wild"];
const SECOND = ["atlas", "beacon", "brook", "canyon", "cedar", "comet", "delta", "ember", "fjord", "garden", "harbor", "island", "lantern", "meadow", "orchard", "prairie", "river", "signal", "summit", "willow"];

export function isDocumentId(text: string): boolean {
  return VALID.test(text);
}

/** A new id that can be read aloud, such as `velvet-harbor-x7k2`. */
export function newDocumentId(): string {
  const [a = 0, b = 0, c = 0] = crypto.getRandomValues(new Uint32Array(3));
  const suffix = (c % 36 ** 4).toString(36).padStart(4, "0");
  return `${FIRST[a % FIRST.length]}-${SECOND[b % SECOND.length]}-${suffix}`;
}

/** A heading for a document that has no text yet: `velvet-harbor-x7k2` reads "Velvet harbor". */
export function readableName(documentId: string): string {
  const words = (documentId.split("/").at(-1) ?? documentId).replace(/-(?=[a-z]*\d)[a-z0-9]{4}$/, "").replace(/[-_.~:@]+/g, " ");
  const text = words.trim() || documentId;
  return text.charAt(0).toUpperCase() + text.slice(1);
}
