/** What may be in rich text that the server wrote; with anything else only the text in it is taken. */
const TAGS = new Set(
  "p h1 h2 h3 h4 h5 h6 blockquote ul ol li pre code hr br table tr th td strong em u s mark sup sub a img ins del div input".split(" "),
);
const ATTRIBUTES: Readonly<Record<string, readonly string[]>> = {
  a: ["href", "rel"],
  img: ["src", "alt"],
  ol: ["start"],
  input: ["type", "disabled", "checked"],
  ins: ["data-author"],
  del: ["data-author"],
};

/** Author's colours: dark enough for text on paper, in both themes light enough behind it. */
const HUES = [262, 12, 150, 205, 330, 40, 285, 95, 180, 355];

/** The colour of a user, the same in every window. */
export function authorColor(author: string): string {
  let hash = 0;
  for (const character of author) hash = (hash * 31 + character.codePointAt(0)!) >>> 0;
  return `hsl(${HUES[hash % HUES.length]} 65% 50%)`;
}

/** Makes elements of rich text as the server writes it. It is others' text: what could act is left out here once more. */
export function importRichText(html: string): DocumentFragment {
  const parsed = new DOMParser().parseFromString(html, "text/html");
  const fragment = document.createDocumentFragment();
  for (const child of parsed.body.childNodes) copy(child, fragment);
  return fragment;
}

function copy(node: Node, into: Node): void {
  if (node.nodeType === Node.TEXT_NODE) return void into.appendChild(document.createTextNode(node.textContent ?? ""));
  if (!(node instanceof Element)) return;
  const tag = node.localName;
  let target = into;
  if (TAGS.has(tag)) {
    const element = document.createElement(tag);
    for (const name of ATTRIBUTES[tag] ?? []) {
      const value = node.getAttribute(name);
      if (value !== null && (name !== "href" || /^(https?|mailto):/i.test(value)) && (name !== "src" || /^https?:/i.test(value))) element.setAttribute(name, value);
    }
    const author = element.dataset["author"];
    if (author) {
      element.style.setProperty("--author-color", authorColor(author));
      element.title = author;
    }
    into.appendChild(element);
    target = element;
  }
  for (const child of node.childNodes) copy(child, target);
}
