// A network: its neurons and weights drawn, its layers in a table.

const sub = (n) => String(n).replace(/\d/g, (d) => "₀₁₂₃₄₅₆₇₈₉"[d]);
const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);

function network(net) {
  const { branches } = net,
    depth = branches[0].ranks.length;
  // Branches share inputs and outputs.
  const total = (of) =>
    branches[0].widths.map((_, l) =>
      l === 0 || l === depth ? of(branches[0], l) : sum(branches.map((branch) => of(branch, l))),
    );
  const widths = total((branch, l) => branch.widths[l]),
    drawn = total((branch, l) => branch.shown[l].length);
  const partly = widths.map((width, l) => width > drawn[l]);
  const many = net.count > 1 ? ` in ${net.count} branches` : "";
  const said = [`${depth} layers, ${plural(net.neurons, "hidden neuron")}${many}.`];
  if (net.count > branches.length) said.push(`The ${branches.length} largest branches are drawn.`);
  if (partly.some(Boolean))
    said.push("Of every layer the neurons that weigh most are drawn, at most eight a branch.");
  if (net.biased) said.push("The last input is the constant 1, which carries the biases.");
  said.push("Blue weights are positive, orange ones negative.");
  return [
    el(
      "figure",
      {},
      el("div", { class: "scroll" }, drawing(branches, widths, partly)),
      el("figcaption", {}, said.join(" ")),
    ),
    el(
      "div",
      { class: "scroll" },
      branches.length > 1 ? branchTable(branches) : layerTable(branches[0]),
    ),
  ];
}

// Every neuron that is drawn is a circle, a column for every layer; lines are weights.
function drawing(branches, widths, partly) {
  const depth = widths.length - 1,
    step = 19,
    side = 35;
  const across = Math.max(96, Math.min(150, (Math.min(view.clientWidth, 760) - 2 * side) / depth));
  const tall = branches.map(
    (b) => Math.max(...b.shown.slice(1, -1).map((s) => s.length)) * step + 12,
  );
  const ends = [branches[0].shown[0], branches[0].shown[depth]].map((s) => s.length * step);
  const height = Math.max(sum(tall), ...ends) + 46,
    middle = (height - 34) / 2 + 4,
    width = across * depth + 2 * side;
  const column = (count, centre, layer) =>
    Array.from({ length: count }, (_, i) => [
      side + across * layer,
      centre + step * (i - (count - 1) / 2),
    ]);
  const lines = svg("g"),
    circles = svg("g");
  let top = middle - sum(tall) / 2;
  branches.forEach((branch, j) => {
    const centre = top + tall[j] / 2,
      outer = (l) => l === 0 || l === depth;
    top += tall[j];
    const spots = branch.shown.map((shown, l) =>
      column(shown.length, outer(l) ? middle : centre, l),
    );
    branch.weights.forEach((W, l) =>
      W.forEach((cells, a) =>
        cells.forEach((w, b) => {
          const size = Math.abs(w) / 100;
          if (size < 0.03) return;
          const [x1, y1] = spots[l][a],
            [x2, y2] = spots[l + 1][b];
          const look = {
            "stroke-width": (0.4 + 2.2 * size).toFixed(2),
            opacity: (0.15 + 0.75 * size).toFixed(2),
          };
          lines.append(svg("line", { x1, y1, x2, y2, class: w > 0 ? "plus" : "minus", ...look }));
        }),
      ),
    );
    spots.forEach((list, l) => {
      if (j && outer(l)) return;
      circles.append(...list.map(([cx, cy]) => svg("circle", { class: "neuron", cx, cy, r: 6 })));
    });
  });
  const words = (l) =>
    `${widths[l]} ${l === 0 ? "in" : l === depth ? "out" : "wide"}${partly[l] ? "…" : ""}`;
  return picture(
    width,
    height,
    `Layers of widths ${widths.join(", ")}`,
    lines,
    circles,
    widths.map((_, l) =>
      svg("text", { x: side + across * l, y: height - 6, "text-anchor": "middle" }, words(l)),
    ),
  );
}

const shape = (branch, l) => `${branch.widths[l]} × ${branch.widths[l + 1]}`;

function layerTable(branch) {
  return el(
    "table",
    { class: "data" },
    header(["layer", "shape", "rank", "norm"]),
    el(
      "tbody",
      {},
      branch.ranks.map((rank, l) =>
        el(
          "tr",
          {},
          name(`W${sub(l + 1)}`),
          [shape(branch, l), rank, short(branch.norms[l])].map((text) => el("td", {}, text)),
        ),
      ),
    ),
  );
}

function branchTable(branches) {
  return el(
    "table",
    { class: "data" },
    header(["branch", ...branches[0].ranks.map((_, l) => `W${sub(l + 1)}`)]),
    el(
      "tbody",
      {},
      branches.map((branch, j) =>
        el(
          "tr",
          {},
          name(j + 1),
          branch.ranks.map((rank, l) => el("td", {}, `${shape(branch, l)}, rank ${rank}`)),
        ),
      ),
    ),
  );
}
