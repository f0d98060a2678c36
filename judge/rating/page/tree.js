// Builds a report from the tree that the server made of its Markdown. Only these elements, and text in them:
// nothing that a model wrote is ever read as markup.

const TAGS = new Set([
  "p", "ul", "ol", "li", "blockquote", "strong", "em", "s", "code", "pre", "hr", "br",
  "table", "thead", "tbody", "tr", "th", "td", "h3", "h4", "h5", "h6",
]);

export function build(parts) {
  const fragment = document.createDocumentFragment();
  for (const part of parts) fragment.append(typeof part === "string" ? part : element(part));
  return fragment;
}

function element({ tag, start, parts }) {
  if (!TAGS.has(tag)) return build(parts);
  const made = document.createElement(tag);
  if (tag === "ol" && start !== null) made.start = start;
  made.append(build(parts));
  if (tag !== "table") return made;
  const frame = document.createElement("div");
  frame.className = "wide";
  frame.tabIndex = 0;
  frame.append(made);
  return frame;
}
