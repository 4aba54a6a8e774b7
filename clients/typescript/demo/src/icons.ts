/** Line icons on a 24 by 24 grid, drawn with the text's colour. */
const PATHS = {
  bold: "M7 5h6a3.5 3.5 0 0 1 0 7H7zM7 12h7a3.5 3.5 0 0 1 0 7H7z",
  italic: "M14 5h-4M14 19h-4M15 5 9 19M11 5h7M6 19h7",
  underline: "M7 4v7a5 5 0 0 0 10 0V4M5 20h14",
  strike: "M5 12h14M16 7.5C15.5 6 14 5 12 5c-2.5 0-4 1.3-4 3 0 1 .5 2 1.5 2.5M8 16.5C8.5 18 10 19 12 19c2.5 0 4-1.3 4-3 0-.7-.2-1.4-.7-2",
  code: "m8 8-4 4 4 4M16 8l4 4-4 4",
  codeBlock: "M4 5h16v14H4zM9.5 9.5 7 12l2.5 2.5M14.5 9.5 17 12l-2.5 2.5",
  bulletList: "M9 6h11M9 12h11M9 18h11M4.5 6h.01M4.5 12h.01M4.5 18h.01",
  orderedList: "M10 6h10M10 12h10M10 18h10M4 4.5 5.5 4v4M4 8h3M4 14.5c.3-.9 2.6-1 2.6.4 0 1-1.3 1.7-2.6 3.1h2.8",
  quote: "M10 7H5v5h5V7zM10 12c0 2.5-1 4-3.5 5M19 7h-5v5h5V7zM19 12c0 2.5-1 4-3.5 5",
  rule: "M4 12h16M8 7h8M8 17h8",
  undo: "M8 5 4 9l4 4M4 9h10a5.5 5.5 0 0 1 0 11h-3",
  redo: "m16 5 4 4-4 4M20 9H10a5.5 5.5 0 0 0 0 11h3",
  plus: "M12 5v14M5 12h14",
  menu: "M4 7h16M4 12h16M4 17h16",
  close: "m6 6 12 12M18 6 6 18",
  link: "M10 14a4 4 0 0 0 6 .4l3-3a4 4 0 0 0-5.7-5.7l-1.5 1.5M14 10a4 4 0 0 0-6-.4l-3 3a4 4 0 0 0 5.7 5.7l1.5-1.5",
  check: "m5 12.5 4.5 4.5L19 7.5",
  sun: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M5.3 18.7l1.4-1.4M17.3 6.7l1.4-1.4",
  moon: "M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z",
  system: "M4 5h16v11H4zM9 20h6M12 16v4",
  document: "M6 3.5h8l4.5 4.5v12.5H6zM14 3.5V8h4.5M9 12.5h6M9 16h6",
  cloud: "M7.5 18.5a4.5 4.5 0 0 1-.6-8.96 5.5 5.5 0 0 1 10.5 1.2 3.9 3.9 0 0 1-.4 7.76z",
  cloudOff: "M4 4l16 16M9.5 6.2a5.5 5.5 0 0 1 7.9 4.54 3.9 3.9 0 0 1 2.4 5.76M16.5 18.5h-9a4.5 4.5 0 0 1-.6-8.96",
  eye: "M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12zM12 9.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5z",
  history: "M4 12a8 8 0 1 0 2.6-5.9L4 8.5M4 4v4.5h4.5M12 8v4.5l3 2",
  comment: "M4 5.5h16v11H12l-4.5 3.5v-3.5H4z",
  chevron: "m8 10 4 4 4-4",
  chat: "M4 5.5h16v11H12l-4.5 3.5v-3.5H4zM8 9.5h8M8 12.5h5",
  send: "M5 12h13M12.5 6.5 18 12l-5.5 5.5",
  join: "M14 4h5v16h-5M4 12h10M10.5 8.5 14 12l-3.5 3.5",
  leave: "M10 4H5v16h5M10 12h10M16.5 8.5 20 12l-3.5 3.5",
} as const;

export type IconName = keyof typeof PATHS;

const SVG = "http://www.w3.org/2000/svg";

/** Makes an icon. It is hidden from screen readers: what holds it carries the name. */
export function icon(name: IconName, size = 18): SVGSVGElement {
  const svg = document.createElementNS(SVG, "svg");
  for (const [attribute, value] of Object.entries({
    viewBox: "0 0 24 24",
    width: size,
    height: size,
    fill: "none",
    stroke: "currentColor",
    "stroke-width": 1.8,
    "stroke-linecap": "round",
    "stroke-linejoin": "round",
    "aria-hidden": "true",
  }))
    svg.setAttribute(attribute, String(value));
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}
