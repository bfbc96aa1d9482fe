"use strict";
const { run, sections, points, data, table1 } = JSON.parse(document.getElementById("content").textContent);
const view = document.getElementById("view");
const KINDS = ["zero", "positive", "open"];
const chosen = new Map(); // section → the axes that were last looked at
let last = null; // the point that was last opened

// --- elements ------------------------------------------------------------------------------------

// Text is only ever put in as text, so nothing that a run is called can become markup.
function build(make, tag, attributes, children) {
  const element = make(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(9).filter((child) => child !== null && child !== false));
  return element;
}
const el = (tag, attributes = {}, ...children) => build((t) => document.createElement(t), tag, attributes, children);
const svg = (tag, attributes = {}, ...children) =>
  build((t) => document.createElementNS("http://www.w3.org/2000/svg", t), tag, attributes, children);

const claimPage = (section) => `#claim/${encodeURIComponent(section.id)}`;
const problemPage = (point) => `#problem/${encodeURIComponent(point.id)}`;

function short(value) {
  if (typeof value !== "number") return value === null || value === undefined ? "–" : String(value);
  const size = Math.abs(value);
  if (value === 0 || Number.isInteger(value) && size < 1e9) return String(value);
  return size >= 1e-3 && size < 1e6 ? String(Number(value.toPrecision(5))) : value.toExponential(1);
}

function badge(text, kind) {
  return el("span", { class: `badge ${kind}` }, text);
}
function verdictBadge(verdict) {
  return badge(verdict, verdict === "replicated" ? "good" : verdict.startsWith("replicated") ? "part" : "not");
}

// --- the scoreboard ------------------------------------------------------------------------------

function overview() {
  const claims = sections.filter((s) => s.verdict), own = sections.filter((s) => s.id === "own-data");
  const studies = sections.filter((s) => !claims.includes(s) && !own.includes(s));
  const count = claims.reduce((sum, s) => sum + s.points.length, 0);
  const certified = claims.reduce((sum, s) => sum + s.certified, 0);
  const page = [el("h1", { tabindex: -1 }, claims.length ? "What holds, and what proves it" : "What was bracketed")];
  if (claims.length) {
    page.push(
      el("p", {}, `${claims.length} claim${claims.length === 1 ? "" : "s"} of the paper, tested on ${count} problems. `
        + `${certified} of them have a certificate that the checker accepts: a network above, a dual bound below. `
        + "Open a claim to see its problems, and a problem to see its data, its network and its proof."),
      board(claims, "Claim"), legend(claims[0], KINDS));
  }
  if (table1.length) page.push(el("h2", {}, "Table 1 of the paper, and what was proved"), tableOne());
  if (studies.length) page.push(el("h2", {}, "Beyond the paper"), board(studies, "Study"));
  if (own.length) page.push(el("h2", {}, "Your own data"), board(own, "Data"));
  page.push(el("p", { class: "quiet keys" },
    el("kbd", {}, "Tab"), " and arrow keys move, ", el("kbd", {}, "Enter"), " opens, ",
    el("kbd", {}, "Esc"), " goes back up. On a problem ", el("kbd", {}, "←"), " and ", el("kbd", {}, "→"),
    " go to its neighbours. Every claim and problem has an address of its own."));
  return { title: "", page };
}

function board(list, name) {
  const row = (section) => {
    const kinds = KINDS.map((kind) => section.points.filter((i) => points[i].kind === kind).length);
    const told = KINDS.filter((_, i) => kinds[i]).map((kind) => `${kinds[KINDS.indexOf(kind)]} ${section.legend[kind]}`);
    return el("tr", {},
      el("th", { scope: "row" }, el("a", { href: claimPage(section), "data-walk": true }, section.title)),
      el("td", {}, section.verdict ? verdictBadge(section.verdict) : badge(`${section.certified} certified`, "good")),
      el("td", { title: told.join("; ") },
        `${section.points.length} problem${section.points.length === 1 ? "" : "s"}`,
        el("span", { class: "counts", role: "img", "aria-label": told.join("; ") },
          KINDS.map((kind, i) => kinds[i] ? el("i", { class: kind, style: `flex:${kinds[i]}` }) : null))),
      el("td", {}, section.evidence));
  };
  return el("div", { class: "scroll" }, el("table", { class: "board" },
    el("thead", {}, el("tr", {}, [name, list[0].verdict ? "Verdict" : "Certificates", "Problems", "Evidence"].map((text) => el("th", { scope: "col" }, text)))),
    el("tbody", {}, list.map(row))));
}

function tableOne() {
  const rows = [...new Set(table1.map((c) => `${c.architecture}, ${c.activation === "relu" ? "ReLU" : "linear"}`))];
  const depths = [...new Set(table1.map((c) => String(c.depth)))];
  const cell = (c) => el("td", {},
    el("div", {}, el("span", { class: "quiet" }, "paper "), c.paper),
    el("div", {}, el("span", { class: "quiet" }, "ours "), el("strong", {}, c.ours)),
    el("div", { class: "quiet" }, `${c.certified}/${c.instances} certified`,
      c.worst_relative_gap === null ? "" : `, gaps to ${short(c.worst_relative_gap)}`));
  return el("div", { class: "scroll" }, el("table", {},
    el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Networks"),
      depths.map((depth) => el("th", { scope: "col" }, depth.startsWith(">") ? "L > 3" : `L = ${depth}`)))),
    el("tbody", {}, rows.map((name, i) => el("tr", {}, el("th", { scope: "row" }, name),
      table1.slice(depths.length * i, depths.length * (i + 1)).map(cell))))));
}

// --- a claim -------------------------------------------------------------------------------------

function claim(section) {
  const state = chosen.get(section) ?? { x: section.x, y: 0, log: section.measures[0].log };
  chosen.set(section, state);
  const holder = el("div"), said = el("p", { class: "said quiet", "aria-live": "polite" });
  const draw = () => holder.replaceChildren(plot(section, state, holder.clientWidth || view.clientWidth, said));
  const pick = (name, label, options, value) => el("label", {}, label, el("select", {
    onchange: (event) => {
      state[name] = Number(event.target.value);
      if (name === "y") state.log = section.measures[state.y].log;
      log.checked = state.log;
      draw();
    },
  }, options.map((option, i) => el("option", { value: i, selected: i === value }, option.label))));
  const log = el("input", { type: "checkbox", onchange: () => { state.log = log.checked; draw(); } });
  log.checked = state.log;
  const page = [
    el("nav", { "aria-label": "Way back" }, el("a", { href: "#" }, "← Scoreboard")),
    el("h1", { tabindex: -1 }, section.title),
    el("p", {}, section.verdict ? [verdictBadge(section.verdict), " "] : null, section.evidence,
      section.where ? el("span", { class: "quiet" }, ` (${section.where})`) : null),
    el("div", { class: "controls" },
      section.measures.length > 1 ? pick("y", "Draw", section.measures, state.y) : el("span", {}, section.measures[0].label),
      pick("x", "against", section.axes, state.x),
      el("label", {}, log, "logarithmic")),
    el("figure", {}, holder, legend(section, KINDS.filter((kind) => section.points.some((i) => points[i].kind === kind))), said),
    el("h2", {}, "The problems"),
    listing(section),
  ];
  return { title: section.title, page, ready: draw, redraw: draw };
}

function legend(section, kinds) {
  return el("div", { class: "legend" }, kinds.map((kind) => el("span", { class: kind }, svg("svg", { width: 16, height: 14, "aria-hidden": "true" },
    mark(kind, 8, 7)), " ", section.legend[kind])));
}

// Kinds differ in shape as well as in colour.
function mark(kind, x, y) {
  const d = { zero: "M-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0-9 0", positive: "M0-6L6 0L0 6L-6 0Z", open: "M0-5.5L5.5 4.5H-5.5Z" };
  return svg("path", { class: "point", d: d[kind], transform: `translate(${x.toFixed(1)} ${y.toFixed(1)})` });
}

function placeOf(point, section, i) {
  const { names } = section.axes[i], value = point.at[i];
  return value === null ? null : names ? names[value] : value;
}

function listing(section) {
  const shown = section.axes.map((_, i) => i).filter((i) => section.axes[i].label !== "data" && section.axes[i].label !== "setting").slice(0, 4);
  return el("div", { class: "scroll tall", tabindex: 0, role: "region", "aria-label": "All problems" }, el("table", {},
    el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "problem"),
      shown.map((i) => el("th", { scope: "col", class: section.axes[i].names ? "" : "number" }, section.axes[i].label)),
      section.measures.map((m) => el("th", { scope: "col", class: "number" }, m.label)), el("th", { scope: "col" }, "verdict"))),
    el("tbody", {}, section.points.map((i) => points[i]).map((point) => el("tr", {},
      el("th", { scope: "row" }, el("a", { href: problemPage(point), "data-walk": true }, point.id)),
      shown.map((i) => el("td", { class: section.axes[i].names ? "" : "number" }, short(placeOf(point, section, i)))),
      point.y.map((value) => el("td", { class: "number" }, short(value))),
      el("td", { class: point.kind }, section.legend[point.kind].split(":")[0], point.certified ? "" : ", no certificate")))) ));
}

// --- the picture of a claim ----------------------------------------------------------------------

const FLOOR = 1e-16; // rounding noise and exact zeros stand here on a logarithmic axis

function ticksOf(from, to, log, values) {
  if (log) {
    const powers = [], step = Math.max(1, Math.ceil(Math.log10(to / from) / 7));
    for (let p = Math.ceil(Math.log10(from) - 1e-9); p <= Math.log10(to) + 1e-9; p += step) powers.push(10 ** p);
    return values && values.length <= 8 ? values : powers;
  }
  if (values && values.length <= 10) return values;
  const raw = (to - from) / 5, power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= raw);
  const found = [];
  for (let v = Math.ceil(from / step) * step; v <= to + step / 1e6; v += step) found.push(Number(v.toPrecision(12)));
  return found;
}

function plot(section, { x, y, log }, width, said) {
  const axis = section.axes[x];
  const here = section.points.map((i) => points[i]).filter((p) => p.at[x] !== null && p.y[y] !== null);
  const missing = section.points.length - here.length;
  if (!here.length) return el("p", {}, "No problem has both numbers.");
  const turned = axis.names && (axis.names.length > 8 || axis.names.some((name) => name.length * axis.names.length > 70));
  const left = 62, right = 14, top = 10, bottom = turned ? 112 : 48, height = (width < 500 ? 250 : 310) + bottom;
  const wide = width - left - right, high = height - top - bottom;

  const values = [...new Set(here.map((p) => p.at[x]))].sort((a, b) => a - b);
  let from = values[0], to = values.at(-1), toX;
  if (axis.names) toX = (v) => left + wide * (v + 0.5) / axis.names.length;
  else {
    const scale = axis.log && from > 0 ? Math.log : (v) => v;
    const pad = 0.06 * (scale(to) - scale(from)) || 1;
    toX = (v) => left + wide * (scale(v) - scale(from) + pad) / (scale(to) - scale(from) + 2 * pad);
  }
  const heights = here.map((p) => p.y[y]).concat(here.map((p) => p.least[y]).filter((v) => v !== null));
  let low, most, toY;
  if (log) {
    const clamp = (v) => Math.max(v, FLOOR);
    low = 10 ** Math.floor(Math.log10(clamp(Math.min(...here.map((p) => p.y[y])))));
    most = 10 ** Math.ceil(Math.log10(clamp(Math.max(...heights))) - 1e-9);
    if (most <= low) most = 10 * low;
    toY = (v) => top + high * (1 - Math.log(Math.max(v, low) / low) / Math.log(most / low));
  } else {
    low = Math.min(0, ...heights), most = Math.max(...heights);
    most = low + (most - low) * 1.06 || 1;
    toY = (v) => top + high * (1 - (v - low) / (most - low));
  }

  const root = svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "group",
    "aria-label": `${section.measures[y].label} against ${axis.label}: ${here.length} problems; arrow keys walk through them` });
  for (const tick of ticksOf(low, most, log, null)) {
    const at = toY(tick);
    root.append(svg("line", { class: "axis", x1: left, x2: width - right, y1: at, y2: at }),
      svg("text", { x: left - 8, y: at + 4, "text-anchor": "end" }, (log && tick <= FLOOR ? "≤ " : "") + label(tick, log)));
  }
  let free = -Infinity;
  for (const tick of axis.names ? axis.names.map((_, i) => i) : ticksOf(from, to, axis.log, values)) {
    const at = toX(tick), text = axis.names ? axis.names[tick] : short(tick), base = height - bottom + 18;
    if (turned) {
      const cut = text.length > 17 ? `${text.slice(0, 16)}…` : text;
      if (at < free) continue;
      free = at + 13;
      root.append(svg("text", { x: at, y: base - 4, "text-anchor": "end", transform: `rotate(-42 ${at} ${base - 4})` }, cut, svg("title", {}, text)));
    } else {
      const half = 3.6 * text.length;
      if (at - half < free) continue;
      free = at + half + 5;
      root.append(svg("text", { x: at, y: base, "text-anchor": "middle" }, text));
    }
  }
  root.append(svg("text", { x: left + wide / 2, y: height - 6, "text-anchor": "middle" }, axis.label));

  // Points on one spot stand side by side.
  const room = axis.names ? wide / axis.names.length / 2.2 : Math.min(wide / (values.length + 1) / 2.4, 60);
  const placed = [];
  const ordered = here.slice().sort((a, b) => a.at[x] - b.at[x] || a.y[y] - b.y[y]);
  for (const point of ordered) {
    const at = toX(point.at[x]), up = toY(point.y[y]);
    let shift = 0;
    for (let k = 0; ; k++) {
      shift = Math.ceil(k / 2) * 5 * (k % 2 ? 1 : -1);
      if (Math.abs(shift) > room) { shift = ((placed.length * 7) % (2 * room)) - room; break; }
      if (!placed.some((q) => Math.hypot(q.at - at - shift, q.up - up) < 9)) break;
    }
    placed.push({ point, at: at + shift, up });
  }
  if (axis.along) {
    const threads = new Map();
    for (const spot of placed) {
      const name = JSON.stringify(axis.along.map((i) => spot.point.at[i]));
      threads.set(name, [...(threads.get(name) ?? []), spot]);
    }
    for (const spots of threads.values()) {
      if (new Set(spots.map((s) => s.point.at[x])).size < 2) continue;
      root.append(svg("path", { class: "thread", d: spots.map((s, i) => `${i ? "L" : "M"}${s.at.toFixed(1)} ${s.up.toFixed(1)}`).join("") }));
    }
  }
  const links = placed.map(({ point, at, up }) => {
    const bottomEnd = point.least[y] === null ? up : toY(point.least[y]);
    const words = `${point.id}: ${section.measures[y].label} ${short(point.y[y])}, ${section.legend[point.kind]}`;
    return svg("a", { href: problemPage(point), class: point.kind, tabindex: -1, "aria-label": words,
      onfocus: () => { said.textContent = words; }, onmouseenter: () => { said.textContent = words; } },
      Math.abs(bottomEnd - up) > 3 && point.kind !== "zero"
        ? svg("line", { class: "reach", x1: at, x2: at, y1: up, y2: Math.min(bottomEnd, top + high) }) : null,
      mark(point.kind, at, up), svg("circle", { class: "hit", cx: at, cy: up, r: 10 }), svg("title", {}, words));
  });
  root.append(...links);
  walk(root, links, placed.findIndex(({ point }) => point === last));
  said.textContent = missing ? `${missing} problem${missing > 1 ? "s" : ""} without such a number ${missing > 1 ? "are" : "is"} not drawn.` : "";
  return root;
}

function label(value, log) {
  if (!log) return short(value);
  const power = Math.round(Math.log10(value));
  return power >= -3 && power <= 3 ? String(Number(value.toPrecision(3))) : `1e${power}`;
}

// One stop for Tab; arrow keys move among the rest.
function walk(root, links, start) {
  let current = Math.max(start, 0);
  if (links.length) links[current].setAttribute("tabindex", 0);
  const steps = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, Home: -Infinity, End: Infinity };
  // On the links themselves: a picture that listens to focus is a stop of its own in some browsers.
  links.forEach((link, i) => link.addEventListener("focus", () => {
    links[current].setAttribute("tabindex", -1);
    current = i;
    link.setAttribute("tabindex", 0);
  }));
  root.addEventListener("keydown", (event) => {
    if (!(event.key in steps) || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    links[Math.min(Math.max(current + steps[event.key], 0), links.length - 1)].focus();
  });
}

// --- a problem -----------------------------------------------------------------------------------

function problem(point) {
  const section = sections[point.section];
  const row = section.points, index = row.indexOf(points.indexOf(point));
  const before = index > 0 ? points[row[index - 1]] : null;
  const after = index + 1 < row.length ? points[row[index + 1]] : null;
  last = point;
  const page = [
    el("nav", { "aria-label": "Way back" },
      el("a", { href: "#" }, "Scoreboard"), el("a", { href: claimPage(section), id: "up" }, `← ${section.title}`),
      el("span", { class: "step" },
        before ? el("a", { href: problemPage(before), id: "before", rel: "prev" }, "‹ previous") : null,
        after ? el("a", { href: problemPage(after), id: "after", rel: "next" }, "next ›") : null)),
    el("h1", { tabindex: -1 }, point.id),
    el("p", {}, badge(section.legend[point.kind].split(":")[0], point.kind), " ",
      badge(point.certified ? "certified" : "no certificate", point.certified ? "good" : "none")),
    question(point),
    el("h2", {}, "Both sides"), bounds(point),
    point.network ? [el("h2", {}, "The network"), network(point.network)] : null,
    point.data === null || point.data === undefined ? null : [el("h2", {}, "The data"), dataset(data[point.data])],
    proofs(point),
    point.curve?.length > 1 ? [el("h2", {}, "Training"), curve(point)] : null,
    facts(point),
  ];
  return { title: point.id, page };
}

function question(point) {
  const words = point.proofs[0]?.words[0] ?? "";
  const row = point.row;
  if (words.startsWith("problem")) {
    const text = words.slice(10);
    return el("p", {}, text[0].toUpperCase() + text.slice(1) + ".");
  }
  return row.architecture ? el("p", {}, `${row.architecture} ${row.activation} networks of ${row.depth} layers; ${row.n} samples, ${row.d} features, ${row.k} outputs.`) : null;
}

function bounds(point) {
  const known = point.intervals.flatMap(([, low, high]) => [low, high]).filter((v) => v !== null);
  if (!known.length) return el("p", {}, point.row.reason ? `No bracket: ${point.row.reason}.` : "No bracket.");
  let from = Math.min(...known), to = Math.max(...known);
  const meet = to - from <= 1e-9 * Math.abs(to);
  if (meet) [from, to] = [from - (Math.abs(to) || 1), to + (Math.abs(to) || 1)];
  const pad = 0.04 * (to - from), share = (v) => 100 * (v - from + pad) / (to - from + 2 * pad);
  const rows = point.intervals.filter(([, low, high]) => low !== null && high !== null).map(([name, low, high], i) => {
    const a = share(low), b = share(high);
    const text = low === high ? String(low) : `${low} to ${high}`;
    return [el("span", {}, name),
      el("span", { class: `track ${i ? "below" : "above"}`, role: "img", "aria-label": `${name}: ${text}` },
        el("i", { style: `left:${a.toFixed(3)}%;width:${Math.max(b - a, 0).toFixed(3)}%` })),
      el("span", { class: "ends" }, low === high ? el("span", {}, text) : ["at least ", el("span", {}, String(low)), ", at most ", el("span", {}, String(high))])];
  });
  const { row } = point, methods = [];
  if (row.primal_method) methods.push(`network by ${row.primal_method}`);
  if (row.dual_method) methods.push(`bound by ${row.dual_method}`);
  if (row.method) methods.push(`bound by ${row.method}`);
  if (row.relative_gap !== undefined) methods.push(`relative gap ${short(row.relative_gap)}`);
  if (row.excess !== undefined) methods.push(`${short(row.excess)} for certain`);
  return [el("div", { class: "bounds" }, rows),
    el("p", { class: "quiet" }, meet ? "All of them meet, to the eye and to nine digits. " : "", methods.join("; "))];
}

const sub = (n) => String(n).replace(/\d/g, (d) => "₀₁₂₃₄₅₆₇₈₉"[d]);

// Every neuron that is drawn is a circle, a column for every layer; lines are weights.
function network(net) {
  const { branches } = net, layers = branches[0].widths.length;
  const across = Math.max(96, Math.min(150, (Math.min(view.clientWidth, 760) - 70) / (layers - 1))), step = 19;
  const inner = branches.map((b) => Math.max(...b.shown.slice(1, -1).map((s) => s.length)) * step + 12);
  const ends = [branches[0].shown[0].length, branches[0].shown.at(-1).length];
  const height = Math.max(inner.reduce((a, b) => a + b, 0), ...ends.map((n) => n * step)) + 46, middle = (height - 34) / 2 + 4;
  const width = across * (layers - 1) + 70;
  const column = (count, centre, layer) => Array.from({ length: count }, (_, i) => [35 + across * layer, centre + step * (i - (count - 1) / 2)]);
  const lines = svg("g"), circles = svg("g");
  let top = middle - inner.reduce((a, b) => a + b, 0) / 2;
  branches.forEach((branch, j) => {
    const centre = top + inner[j] / 2;
    top += inner[j];
    const spots = branch.shown.map((s, l) => column(s.length, l === 0 || l === layers - 1 ? middle : centre, l));
    branch.weights.forEach((W, l) => W.forEach((cells, a) => cells.forEach((w, b) => {
      if (Math.abs(w) < 3) return;
      const [x1, y1] = spots[l][a], [x2, y2] = spots[l + 1][b];
      lines.append(svg("line", { x1, y1, x2, y2, class: w > 0 ? "plus" : "minus", "stroke-width": (0.4 + 2.2 * Math.abs(w) / 100).toFixed(2), opacity: (0.15 + 0.75 * Math.abs(w) / 100).toFixed(2) }));
    })));
    spots.forEach((list, l) => {
      if (j && (l === 0 || l === layers - 1)) return;
      list.forEach(([cx, cy]) => circles.append(svg("circle", { class: "neuron", cx, cy, r: 6 })));
    });
  });
  const widths = branches[0].widths.map((_, l) => l === 0 || l === layers - 1 ? branches[0].widths[l] : branches.reduce((sum, b) => sum + b.widths[l], 0));
  const more = (l) => widths[l] > (l === 0 || l === layers - 1 ? branches[0].shown[l].length : branches.reduce((sum, b) => sum + b.shown[l].length, 0));
  const names = widths.map((w, l) => svg("text", { x: 35 + across * l, y: height - 6, "text-anchor": "middle" },
    l === 0 ? `${w} in` : l === layers - 1 ? `${w} out` : `${w} wide`, more(l) ? "…" : ""));
  const hidden = net.count - branches.length;
  const said = [`${layers - 1} layers, ${net.count > 1 ? `${net.count} branches, ` : ""}${net.neurons} hidden neuron${net.neurons === 1 ? "" : "s"}.`];
  if (hidden) said.push(`The ${branches.length} largest branches are drawn.`);
  if (widths.some((_, l) => more(l))) said.push("Of every layer the neurons that weigh most are drawn, at most eight a branch.");
  if (net.biased) said.push("The last input is the constant 1, which carries the biases.");
  const shape = (b, l) => `${b.widths[l]} × ${b.widths[l + 1]}`;
  return [
    el("figure", {}, el("div", { class: "scroll" }, svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `Layers of widths ${widths.join(", ")}` }, lines, circles, names)),
      el("figcaption", {}, said.join(" "), " Blue weights are positive, orange ones negative.")),
    el("div", { class: "scroll" }, el("table", { class: "data" },
      el("thead", {}, el("tr", {}, el("th", { scope: "col" }, branches.length > 1 ? "branch" : "layer"),
        branches.length > 1 ? branches[0].ranks.map((_, l) => el("th", { scope: "col" }, `W${sub(l + 1)}`))
          : ["shape", "rank", "norm"].map((t) => el("th", { scope: "col" }, t)))),
      el("tbody", {}, branches.length > 1
        ? branches.map((b, j) => el("tr", {}, el("th", { scope: "row" }, j + 1), b.ranks.map((r, l) => el("td", {}, `${shape(b, l)}, rank ${r}`))))
        : branches[0].ranks.map((r, l) => el("tr", {}, el("th", { scope: "row" }, `W${sub(l + 1)}`), el("td", {}, shape(branches[0], l)), el("td", {}, r), el("td", {}, short(branches[0].norms[l])))))))];
}

function dataset(set) {
  const largest = (rows) => Math.max(...rows.flat().map(Math.abs)) || 1;
  const tops = { X: largest(set.X), Y: largest(set.Y) };
  const cell = (value, name, first) => el("td", { class: first && name === "Y" ? "target" : null,
    style: `background:color-mix(in srgb, var(--${value < 0 ? "minus" : "plus"}) ${Math.round(45 * Math.abs(value) / tops[name])}%, transparent)` }, short(value));
  const cut = [];
  if (set.X.length < set.n) cut.push(`the first ${set.X.length} of ${set.n} samples`);
  if (set.X[0].length < set.d) cut.push(`${set.X[0].length} of ${set.d} features`);
  if (set.Y[0].length < set.k) cut.push(`${set.Y[0].length} of ${set.k} outputs`);
  const head = (name, count) => Array.from({ length: count }, (_, i) => el("th", { scope: "col", class: name === "y" && !i ? "target" : null }, `${name}${sub(i + 1)}`));
  const sizes = `${set.n} samples, ${set.d} feature${set.d === 1 ? "" : "s"}, ${set.k} output${set.k === 1 ? "" : "s"}`;
  return [el("p", { class: "quiet" }, sizes, cut.length ? `; shown are ${cut.join(", ")}.` : "."), el("div", { class: "side" },
    set.points ? cloud(set) : null,
    el("div", { class: "scroll" }, el("table", { class: "data" },
      el("thead", {}, el("tr", {}, head("x", set.X[0].length), head("y", set.Y[0].length))),
      el("tbody", {}, set.X.map((cells, i) => el("tr", {}, cells.map((v, j) => cell(v, "X", !j)), set.Y[i].map((v, j) => cell(v, "Y", !j))))))))];
}

const HUES = ["var(--plus)", "var(--positive)", "var(--zero)", "var(--open)"];

function cloud(set) {
  const size = Math.min(300, view.clientWidth), pad = 26;
  const spans = [0, 1].map((i) => { const v = set.points.map((p) => p[i]); const a = Math.min(...v), b = Math.max(...v); return [a, b - a || 1]; });
  const top = Math.max(...set.points.map((p) => Math.abs(p[2]))) || 1;
  const at = (p, i) => pad + (size - 2 * pad) * (i ? 1 - (p[1] - spans[1][0]) / spans[1][1] : (p[0] - spans[0][0]) / spans[0][1]);
  const fill = (c) => set.classes ? HUES[c % HUES.length] : `color-mix(in srgb, var(--${c < 0 ? "minus" : "plus"}) ${Math.round(20 + 80 * Math.abs(c) / top)}%, var(--raised))`;
  return el("figure", {}, svg("svg", { width: size, height: size, viewBox: `0 0 ${size} ${size}`, role: "img", "aria-label": `${set.axes[1]} against ${set.axes[0]}` },
    svg("rect", { x: 1, y: 1, width: size - 2, height: size - 2, fill: "none", class: "axis" }),
    set.points.map((p) => svg("circle", { cx: at(p, 0).toFixed(1), cy: at(p, 1).toFixed(1), r: 4.5, style: `fill:${fill(p[2])}`, class: "axis" }))),
    el("figcaption", {}, `${set.axes[1]} against ${set.axes[0]}; coloured by ${set.classes ? "class" : "the first target"}`));
}

function proofs(point) {
  if (!point.proofs.length) return [el("h2", {}, "The certificate"), el("p", {}, "There is none: nothing of this problem is proved.")];
  return [el("h2", {}, point.proofs.length > 1 ? "The certificates, in words" : "The certificate, in words"),
    point.proofs.map((proof) => {
      const command = `sed -n ${proof.line}p ${proof.file} > one.jsonl\nzerogap verify one.jsonl --explain`;
      const pre = el("pre", { tabindex: 0, "aria-label": "Command that proves it again" }, command);
      return [proof.for ? el("h3", {}, `Of ${proof.for}`) : null,
        el("dl", { class: "words" }, proof.words.map((line) => [line.slice(0, 10).trim() ? el("dt", {}, line.slice(0, 10).trim()) : null, el("dd", {}, line.slice(10))])),
        el("p", { class: "quiet" }, "To prove it again, in the folder of the run, with no solver and no trust in this page:"),
        pre, copier(pre)];
    })];
}

function copier(pre) {
  const button = el("button", { type: "button", onclick: async () => {
    try { await navigator.clipboard.writeText(pre.textContent); button.textContent = "Copied"; }
    catch { getSelection().selectAllChildren(pre); button.textContent = "Selected: copy it"; }
  } }, "Copy");
  return button;
}

function curve(point) {
  const width = Math.min(view.clientWidth, 560), height = 190, left = 62, bottom = 34;
  const lines = [["network", point.row.primal, "above"], ["bound", point.row.dual, "below"]].filter(([, v]) => v !== undefined && v > 0);
  const values = point.curve.map(([, v]) => v).concat(lines.map(([, v]) => v)).filter((v) => v > 0);
  const low = Math.min(...values), high = Math.max(...values) * 1.05, end = point.curve.at(-1)[0] || 1;
  const x = (s) => left + (width - left - 10) * s / end, y = (v) => 10 + (height - bottom - 10) * (1 - Math.log(Math.max(v, low) / low) / Math.log(high / low || 2));
  const { best, median, share_optimal: share, restarts } = point.facts;
  const said = [`${restarts} runs: the best reached ${short(best)}, the median ${short(median)}`];
  if (share !== undefined) said.push(`${Math.round(100 * share)} % of them found the optimum`);
  return el("figure", {}, svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": said.join("; ") },
    [low, high].map((v) => svg("text", { x: left - 8, y: y(v) + 4, "text-anchor": "end" }, short(v))),
    lines.map(([, v, kind]) => svg("line", { class: kind, x1: left, x2: width - 10, y1: y(v), y2: y(v), stroke: "currentColor", "stroke-dasharray": "5 4" })),
    svg("path", { d: point.curve.map(([s, v], i) => `${i ? "L" : "M"}${x(s).toFixed(1)} ${y(v).toFixed(1)}`).join(""), fill: "none", stroke: "currentColor", "stroke-width": 1.8 }),
    [0, end].map((s) => svg("text", { x: x(s), y: height - 14, "text-anchor": s ? "end" : "start" }, s ? `${s} steps` : "0"))),
    el("figcaption", {}, `${said.join("; ")}. Dashed: the best network known and the dual bound.`));
}

function facts(point) {
  const list = (pairs) => el("dl", {}, Object.entries(pairs).map(([name, value]) => [el("dt", {}, name.replaceAll("_", " ")), el("dd", {}, String(value))]));
  return el("details", {}, el("summary", {}, `All that the tables say of it (${point.table})`), list(point.row), point.facts ? list(point.facts) : null);
}

// --- going about ---------------------------------------------------------------------------------

let shown = null;

function show(first) {
  const [, kind, name] = location.hash.match(/^#(claim|problem)\/(.*)$/) ?? [];
  let id = name;
  try { id = decodeURIComponent(name ?? ""); } catch { /* an address that is no address names nothing */ }
  const found = kind === "claim" ? sections.find((s) => s.id === id) : kind && points.find((p) => p.id === id);
  const before = shown;
  if (!kind) shown = overview();
  else if (found) shown = kind === "claim" ? claim(found) : problem(found);
  else shown = { title: "not here", page: [el("h1", { tabindex: -1 }, "There is no such page"), el("p", {}, `This run has no ${kind} `, el("strong", {}, id), "."), el("p", {}, el("a", { href: "#", id: "up" }, "To the scoreboard"))] };
  shown.up = kind === "problem" && found ? claimPage(sections[found.section]) : kind ? "#" : null;
  shown.here = kind ? location.hash : "#";
  view.replaceChildren(...shown.page.flat(9).filter(Boolean));
  document.title = [shown.title, document.documentElement.dataset.title].filter(Boolean).join(" · ");
  shown.ready?.();
  if (first) return;
  // Going up, what was open before has the focus again; else the new heading does.
  const back = before?.up === shown.here
    ? [...view.querySelectorAll("a")].find((a) => a.getAttribute("href") === before.here) : null;
  if (back) back.focus();
  else { scrollTo({ top: 0, behavior: "instant" }); view.querySelector("h1").focus({ preventScroll: true }); }
}

addEventListener("hashchange", () => show(false));
addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey || event.target.closest("select, input")) return;
  if (event.key === "Escape" && shown.up !== null) location.hash = shown.up;
  const side = { ArrowLeft: "before", ArrowRight: "after" }[event.key];
  if (side && !event.target.closest("pre, .scroll")) document.getElementById(side)?.click();
  const links = [...view.querySelectorAll("[data-walk]")], at = links.indexOf(document.activeElement);
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step && at >= 0 && links[at + step]) { event.preventDefault(); links[at + step].focus(); }
});
let resized = view.clientWidth;
addEventListener("resize", () => {
  if (view.clientWidth === resized) return;
  resized = view.clientWidth;
  shown.redraw ? shown.redraw() : show(true);
});

document.documentElement.dataset.title = document.title;
const theme = el("button", { type: "button", "aria-label": "Light or dark", onclick: () => {
  const dark = getComputedStyle(document.documentElement).colorScheme === "dark"
    || getComputedStyle(document.documentElement).colorScheme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.style.colorScheme = dark ? "light" : "dark";
} }, "◐");
document.getElementById("top").append(el("a", { href: "#" }, document.title),
  el("span", { class: "quiet" }, `zerogap ${run.version}${run.commit ? `, commit ${run.commit.slice(0, 10)}` : ""}${run.modified ? ", modified" : ""}`), theme);
show(true);
