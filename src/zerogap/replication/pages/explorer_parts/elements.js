"use strict";
// What the page holds, and how elements are made of it.

const { run, sections, points, data, table1 } = JSON.parse(
  document.getElementById("content").textContent,
);
const view = document.getElementById("view");
const KINDS = ["zero", "positive", "open"];
const chosen = new Map(); // section → the axes that were last looked at
let last = null; // the point that was last opened

// Text is only ever put in as text, so nothing that a run is called can become markup.
function build(make, tag, attributes, children) {
  const element = make(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== null && value !== false)
      element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(9).filter((child) => child !== null && child !== false));
  return element;
}
const el = (tag, attributes = {}, ...children) =>
  build((t) => document.createElement(t), tag, attributes, children);
const svg = (tag, attributes = {}, ...children) =>
  build(
    (t) => document.createElementNS("http://www.w3.org/2000/svg", t),
    tag,
    attributes,
    children,
  );

// A picture that is read as one thing.
const picture = (width, height, label, ...children) =>
  svg(
    "svg",
    { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label },
    ...children,
  );
const header = (texts, kind = () => null) =>
  el(
    "thead",
    {},
    el(
      "tr",
      {},
      texts.map((text, i) => el("th", { scope: "col", class: kind(i) }, text)),
    ),
  );
const name = (text) => el("th", { scope: "row" }, text);
const plural = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;

const claimPage = (section) => `#claim/${encodeURIComponent(section.id)}`;
const problemPage = (point) => `#problem/${encodeURIComponent(point.id)}`;

function short(value) {
  if (typeof value !== "number") return String(value ?? "–");
  const size = Math.abs(value);
  if (value === 0 || (Number.isInteger(value) && size < 1e9)) return String(value);
  return size >= 1e-3 && size < 1e6 ? String(Number(value.toPrecision(5))) : value.toExponential(1);
}

// What a problem's kind means in its section, in short.
const kindOf = (point) => sections[point.section].legend[point.kind].split(":")[0];

function badge(text, kind) {
  return el("span", { class: `badge ${kind}` }, text);
}
function verdictBadge(verdict) {
  return badge(
    verdict,
    verdict === "replicated" ? "good" : verdict.startsWith("replicated") ? "part" : "not",
  );
}
