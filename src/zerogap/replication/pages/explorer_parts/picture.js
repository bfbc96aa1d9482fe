// The picture of a claim: a point for every problem, a line where only one thing changes.

const FLOOR = 1e-16; // rounding noise and exact zeros stand here on a logarithmic axis
const LEFT = 62;
const RIGHT = 14;
const TOP = 10;

function plot(section, { x, y, log }, width, said) {
  const axis = section.axes[x];
  const whole = section.points.map((i) => points[i]);
  const here = whole.filter((point) => point.at[x] !== null && point.y[y] !== null);
  if (!here.length) return el("p", {}, "No problem has both numbers.");
  const turned =
    axis.names && axis.names.length * Math.max(8, ...axis.names.map((n) => n.length)) > 70;
  const bottom = turned ? 112 : 48;
  const frame = { wide: width - LEFT - RIGHT, high: width < 500 ? 240 : 300, turned };
  const height = TOP + frame.high + bottom;
  const across = acrossOf(
    axis,
    here.map((point) => point.at[x]),
    frame.wide,
  );
  const upward = upwardOf(here, y, log, frame.high);
  const spots = besides(here, x, y, across, upward);
  const links = spots.map((spot) => linkOf(section, spot, y, upward, said));
  const count = plural(here.length, "problem");
  const words = `${section.measures[y].label} against ${axis.label}: ${count}`;
  const root = svg(
    "svg",
    {
      width,
      height,
      viewBox: `0 0 ${width} ${height}`,
      role: "group",
      "aria-label": `${words}; arrow keys walk through them`,
    },
    levels(upward, width),
    names(axis, across, frame),
    svg("text", { x: LEFT + frame.wide / 2, y: height - 6, "text-anchor": "middle" }, axis.label),
    axis.along ? threads(spots, axis.along, x) : null,
    links,
  );
  walk(
    root,
    links,
    spots.findIndex(({ point }) => point === last),
  );
  const missing = whole.length - here.length;
  said.textContent = missing
    ? `Not drawn: ${plural(missing, "problem")} without such a number.`
    : "";
  return root;
}

// Where the values of an axis are, from left to right, and which of them are named.
function acrossOf(axis, given, wide) {
  const values = [...new Set(given)].sort((a, b) => a - b);
  if (axis.names) {
    const at = (value) => LEFT + (wide * (value + 0.5)) / axis.names.length;
    return { at, ticks: axis.names.map((_, i) => i), room: wide / axis.names.length / 2.2 };
  }
  const scale = axis.log && values[0] > 0 ? Math.log : (value) => value;
  const [from, to] = [scale(values[0]), scale(values.at(-1))];
  const pad = 0.06 * (to - from) || 1;
  const at = (value) => LEFT + (wide * (scale(value) - from + pad)) / (to - from + 2 * pad);
  const few = values.length <= 10;
  const ticks = few
    ? values
    : axis.log
      ? powers(values[0], values.at(-1))
      : steps(values[0], values.at(-1));
  return { at, ticks, room: Math.min(wide / (values.length + 1) / 2.4, 60) };
}

// Where values are, from the bottom up. Bars reach down to what is proved at least.
function upwardOf(here, y, log, high) {
  const drawn = here.map((point) => point.y[y]);
  const least = here.map((point) => point.least[y]).filter((value) => value !== null);
  let most = Math.max(...drawn, ...least);
  if (log) {
    const power = (value, round) => 10 ** round(Math.log10(Math.max(value, FLOOR)));
    const low = power(Math.min(...drawn), Math.floor);
    most = Math.max(power(most * (1 - 1e-9), Math.ceil), 10 * low);
    const share = (value) => Math.log(Math.max(value, low) / low) / Math.log(most / low);
    return { at: (value) => TOP + high * (1 - share(value)), ticks: powers(low, most), log };
  }
  let low = Math.min(...drawn, ...least);
  // Values that are all much alike are not drawn from zero on.
  low = low > 0.6 * most && low < most ? low - 0.1 * (most - low) : Math.min(0, low);
  most = low + (most - low) * 1.06 || 1;
  const at = (value) => TOP + high * (1 - (value - low) / (most - low));
  return { at, ticks: steps(low, most), log };
}

function powers(from, to) {
  const [first, end] = [from, to].map(Math.log10);
  const found = [];
  const step = Math.max(1, Math.ceil((end - first) / 7));
  for (let p = Math.ceil(first - 1e-9); p <= end + 1e-9; p += step) found.push(10 ** p);
  return found;
}

function steps(from, to) {
  const raw = (to - from) / 5;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= raw);
  const found = [];
  for (let n = Math.ceil(from / step); n * step <= to; n++)
    found.push(Number((n * step).toPrecision(12)));
  return found;
}

function levels({ at, ticks, log }, width) {
  const word = (value) => {
    const power = Math.round(Math.log10(value));
    const text = log && Math.abs(power) > 3 ? `1e${power}` : short(value);
    return log && value <= FLOOR ? `≤ ${text}` : text;
  };
  return ticks.map((tick) => [
    svg("line", { class: "axis", x1: LEFT, x2: width - RIGHT, y1: at(tick), y2: at(tick) }),
    svg("text", { x: LEFT - 8, y: at(tick) + 4, "text-anchor": "end" }, word(tick)),
  ]);
}

// The names along an axis, as far as there is room for them.
function names(axis, { at, ticks }, { high, turned }) {
  let free = -Infinity;
  const base = TOP + high + 18;
  return ticks.map((tick) => {
    const text = axis.names ? axis.names[tick] : short(tick);
    const half = turned ? 6 : 3.6 * text.length;
    const x = at(tick);
    if (x - half < free) return null;
    free = x + half + (turned ? 1 : 5);
    if (!turned) return svg("text", { x, y: base, "text-anchor": "middle" }, text);
    const transform = `rotate(-42 ${x} ${base - 4})`;
    const cut = text.length > 17 ? `${text.slice(0, 16)}…` : text;
    return svg(
      "text",
      { x, y: base - 4, "text-anchor": "end", transform },
      cut,
      svg("title", {}, text),
    );
  });
}

// Points on one spot stand side by side, as far as there is room.
function besides(here, x, y, across, upward) {
  const spots = [];
  const ordered = here.slice().sort((a, b) => a.at[x] - b.at[x] || a.y[y] - b.y[y]);
  for (const point of ordered) {
    const [centre, up] = [across.at(point.at[x]), upward.at(point.y[y])];
    const taken = (at) => spots.some((spot) => Math.hypot(spot.at - at, spot.up - up) < 9);
    let shift = 0;
    for (let k = 1; taken(centre + shift) && Math.abs(shift) <= across.room; k++)
      shift = Math.ceil(k / 2) * (k % 2 ? 5 : -5);
    if (Math.abs(shift) > across.room)
      shift = ((spots.length * 7) % (2 * across.room)) - across.room;
    spots.push({ point, at: centre + shift, up });
  }
  return spots;
}

// Lines through points that agree on the axes `along`.
function threads(spots, along, x) {
  const found = new Map();
  for (const spot of spots) {
    const same = JSON.stringify(along.map((i) => spot.point.at[i]));
    found.set(same, [...(found.get(same) ?? []), spot]);
  }
  return [...found.values()]
    .filter((thread) => new Set(thread.map(({ point }) => point.at[x])).size > 1)
    .map((thread) =>
      svg("path", { class: "thread", d: pathOf(thread.map(({ at, up }) => [at, up])) }),
    );
}

const pathOf = (pairs) =>
  pairs.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");

function linkOf(section, { point, at, up }, y, upward, said) {
  const value = `${section.measures[y].label} ${short(point.y[y])}`;
  const words = `${point.id}: ${value}, ${section.legend[point.kind]}`;
  const least = point.least[y] === null || point.kind === "zero" ? up : upward.at(point.least[y]);
  const say = () => {
    said.textContent = words;
  };
  return svg(
    "a",
    {
      href: problemPage(point),
      class: point.kind,
      tabindex: -1,
      "aria-label": words,
      onfocus: say,
      onmouseenter: say,
    },
    least - up > 3 ? svg("line", { class: "reach", x1: at, x2: at, y1: up, y2: least }) : null,
    mark(point.kind, at, up),
    svg("circle", { class: "hit", cx: at, cy: up, r: 10 }),
    svg("title", {}, words),
  );
}

// One stop for Tab; arrow keys move among the rest.
function walk(root, links, start) {
  let current = Math.max(start, 0);
  links[current].setAttribute("tabindex", 0);
  const moves = {
    ArrowRight: 1,
    ArrowDown: 1,
    ArrowLeft: -1,
    ArrowUp: -1,
    Home: -Infinity,
    End: Infinity,
  };
  // On the links themselves: a picture that listens to focus is a stop of its own in some browsers.
  links.forEach((link, i) =>
    link.addEventListener("focus", () => {
      links[current].setAttribute("tabindex", -1);
      current = i;
      link.setAttribute("tabindex", 0);
    }),
  );
  root.addEventListener("keydown", (event) => {
    if (!(event.key in moves) || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    links[Math.min(Math.max(current + moves[event.key], 0), links.length - 1)].focus();
  });
}
