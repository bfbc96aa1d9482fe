// The page of a claim: its problems as a picture and as a list.

function claim(section) {
  const state = chosen.get(section) ?? { x: section.x, y: 0, log: section.measures[0].log };
  chosen.set(section, state);
  const holder = el("div"),
    said = el("p", { class: "said quiet", "aria-live": "polite" });
  const draw = () =>
    holder.replaceChildren(plot(section, state, holder.clientWidth || view.clientWidth, said));
  const pick = (name, label, options, value) =>
    el(
      "label",
      {},
      label,
      el(
        "select",
        {
          onchange: (event) => {
            state[name] = Number(event.target.value);
            if (name === "y") state.log = section.measures[state.y].log;
            log.checked = state.log;
            draw();
          },
        },
        options.map((option, i) => el("option", { value: i, selected: i === value }, option.label)),
      ),
    );
  const log = el("input", {
    type: "checkbox",
    onchange: () => {
      state.log = log.checked;
      draw();
    },
  });
  log.checked = state.log;
  const page = [
    el("nav", { "aria-label": "Way back" }, el("a", { href: "#" }, "← Scoreboard")),
    el("h1", { tabindex: -1 }, section.title),
    el(
      "p",
      {},
      section.verdict ? [verdictBadge(section.verdict), " "] : null,
      section.evidence,
      section.where ? el("span", { class: "quiet" }, ` (${section.where})`) : null,
    ),
    el(
      "div",
      { class: "controls" },
      section.measures.length > 1
        ? pick("y", "Draw", section.measures, state.y)
        : el("span", {}, section.measures[0].label),
      pick("x", "against", section.axes, state.x),
      el("label", {}, log, "logarithmic"),
    ),
    el("figure", {}, holder, legend(section, kindsOf(section)), said),
    el("h2", {}, "The problems"),
    listing(section),
  ];
  return { title: section.title, page, ready: draw, redraw: draw };
}

const kindsOf = (section) =>
  KINDS.filter((kind) => section.points.some((i) => points[i].kind === kind));

function legend(section, kinds) {
  return el(
    "div",
    { class: "legend" },
    kinds.map((kind) =>
      el(
        "span",
        { class: kind },
        svg("svg", { width: 16, height: 14, "aria-hidden": "true" }, mark(kind, 8, 7)),
        " ",
        section.legend[kind],
      ),
    ),
  );
}

// Kinds differ in shape as well as in colour.
function mark(kind, x, y) {
  const d = {
    zero: "M-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0-9 0",
    positive: "M0-6L6 0L0 6L-6 0Z",
    open: "M0-5.5L5.5 4.5H-5.5Z",
  };
  return svg("path", {
    class: "point",
    d: d[kind],
    transform: `translate(${x.toFixed(1)} ${y.toFixed(1)})`,
  });
}

function placeOf(point, section, i) {
  const { names } = section.axes[i],
    value = point.at[i];
  return value === null ? null : names ? names[value] : value;
}

function listing(section) {
  const long = ["data", "setting"]; // the name of the problem says as much
  const shown = section.axes
    .map((_, i) => i)
    .filter((i) => !long.includes(section.axes[i].label))
    .slice(0, 4);
  const kind = (i) => (section.axes[i].names ? null : "number");
  const columns = [
    "problem",
    ...shown.map((i) => section.axes[i].label),
    ...section.measures.map((m) => m.label),
    "verdict",
  ];
  const kinds = [null, ...shown.map(kind), ...section.measures.map(() => "number"), null];
  const row = (point) =>
    el(
      "tr",
      {},
      name(el("a", { href: problemPage(point), "data-walk": true }, point.id)),
      shown.map((i) => el("td", { class: kind(i) }, short(placeOf(point, section, i)))),
      point.y.map((value) => el("td", { class: "number" }, short(value))),
      el("td", { class: point.kind }, kindOf(point), point.certified ? "" : ", no certificate"),
    );
  return el(
    "div",
    { class: "scroll tall", tabindex: 0, role: "region", "aria-label": "All problems" },
    el(
      "table",
      {},
      header(columns, (i) => kinds[i]),
      el(
        "tbody",
        {},
        section.points.map((i) => row(points[i])),
      ),
    ),
  );
}
