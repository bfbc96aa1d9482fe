// A data set: its first rows, and its points in a plane.

// Colour says how large a number is among its kind, and of which sign.
const tint = (value, largest, most, ground) =>
  `color-mix(in srgb, var(--${value < 0 ? "minus" : "plus"}) ` +
  `${Math.round((most * Math.abs(value)) / largest)}%, ${ground})`;

function dataset(set) {
  const largest = (rows) => Math.max(...rows.flat().map(Math.abs)) || 1;
  const cells = (row, top, first) =>
    row.map((value, j) =>
      el(
        "td",
        {
          class: j === 0 ? first : null,
          style: `background:${tint(value, top, 45, "transparent")}`,
        },
        short(value),
      ),
    );
  const cut = [];
  if (set.X.length < set.n) cut.push(`the first ${set.X.length} of ${set.n} samples`);
  if (set.X[0].length < set.d) cut.push(`${set.X[0].length} of ${set.d} features`);
  if (set.Y[0].length < set.k) cut.push(`${set.Y[0].length} of ${set.k} outputs`);
  const sizes = [plural(set.n, "sample"), plural(set.d, "feature"), plural(set.k, "output")].join(
    ", ",
  );
  const names = (letter, row) => row.map((_, i) => letter + sub(i + 1)),
    [tops, bottoms] = [largest(set.X), largest(set.Y)];
  return [
    el("p", { class: "quiet" }, sizes, cut.length ? `; shown are ${cut.join(", ")}.` : "."),
    el(
      "div",
      { class: "side" },
      set.points ? cloud(set) : null,
      el(
        "div",
        { class: "scroll" },
        el(
          "table",
          { class: "data" },
          header([...names("x", set.X[0]), ...names("y", set.Y[0])], (i) =>
            i === set.X[0].length ? "target" : null,
          ),
          el(
            "tbody",
            {},
            set.X.map((row, i) =>
              el("tr", {}, cells(row, tops, null), cells(set.Y[i], bottoms, "target")),
            ),
          ),
        ),
      ),
    ),
  ];
}

const HUES = ["var(--plus)", "var(--positive)", "var(--zero)", "var(--open)"];

function cloud(set) {
  const size = Math.min(300, view.clientWidth),
    pad = 26;
  const spans = [0, 1].map((i) => {
    const values = set.points.map((p) => p[i]),
      least = Math.min(...values);
    return [least, Math.max(...values) - least || 1];
  });
  const share = (p, i) => (p[i] - spans[i][0]) / spans[i][1],
    room = size - 2 * pad;
  const top = Math.max(...set.points.map((p) => Math.abs(p[2]))) || 1;
  const fill = (c) => (set.classes ? HUES[c % HUES.length] : tint(c, top, 100, "var(--raised)"));
  const words = `${set.axes[1]} against ${set.axes[0]}`;
  return el(
    "figure",
    {},
    picture(
      size,
      size,
      words,
      svg("rect", { x: 1, y: 1, width: size - 2, height: size - 2, fill: "none", class: "axis" }),
      set.points.map((p) =>
        svg("circle", {
          cx: (pad + room * share(p, 0)).toFixed(1),
          cy: (pad + room * (1 - share(p, 1))).toFixed(1),
          r: 4.5,
          style: `fill:${fill(p[2])}`,
          class: "axis",
        }),
      ),
    ),
    el("figcaption", {}, `${words}; coloured by ${set.classes ? "class" : "the first target"}`),
  );
}
