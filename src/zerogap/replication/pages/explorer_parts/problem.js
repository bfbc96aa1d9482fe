// The page of a problem: what is asked, both bounds, the certificate and what proves it again.

function problem(point) {
  const section = sections[point.section];
  const row = section.points,
    index = row.indexOf(points.indexOf(point));
  const before = index > 0 ? points[row[index - 1]] : null;
  const after = index + 1 < row.length ? points[row[index + 1]] : null;
  last = point;
  const page = [
    el(
      "nav",
      { "aria-label": "Way back" },
      el("a", { href: "#" }, "Scoreboard"),
      el("a", { href: claimPage(section), id: "up" }, `← ${section.title}`),
      el(
        "span",
        { class: "step" },
        before
          ? el("a", { href: problemPage(before), id: "before", rel: "prev" }, "‹ previous")
          : null,
        after ? el("a", { href: problemPage(after), id: "after", rel: "next" }, "next ›") : null,
      ),
    ),
    el("h1", { tabindex: -1 }, point.id),
    el(
      "p",
      {},
      badge(kindOf(point), point.kind),
      " ",
      badge(point.certified ? "certified" : "no certificate", point.certified ? "good" : "none"),
    ),
    question(point),
    el("h2", {}, "Both sides"),
    bounds(point),
    point.network ? [el("h2", {}, "The network"), network(point.network)] : null,
    point.data === null || point.data === undefined
      ? null
      : [el("h2", {}, "The data"), dataset(data[point.data])],
    proofs(point),
    point.curve?.length > 1 ? [el("h2", {}, "Training"), curve(point)] : null,
    facts(point),
  ];
  return { title: point.id, page };
}

function question(point) {
  const words = point.proofs[0]?.words[0] ?? "",
    { row } = point;
  if (words.startsWith("problem"))
    return el("p", {}, words[10].toUpperCase(), words.slice(11), ".");
  if (!row.architecture) return null;
  return el(
    "p",
    {},
    `A ${row.architecture} ${row.activation} network of ${plural(row.depth, "layer")}; `,
    `${plural(row.n, "sample")}, ${plural(row.d, "feature")}, ${plural(row.k, "output")}.`,
  );
}

function bounds(point) {
  const known = point.intervals.flatMap(([, low, high]) => [low, high]).filter((v) => v !== null);
  if (!known.length)
    return el("p", {}, point.row.reason ? `No bracket: ${point.row.reason}.` : "No bracket.");
  let from = Math.min(...known),
    to = Math.max(...known);
  const meet = to - from <= 1e-9 * Math.abs(to);
  if (meet) [from, to] = [from - (Math.abs(to) || 1), to + (Math.abs(to) || 1)];
  const pad = 0.04 * (to - from),
    share = (v) => (100 * (v - from + pad)) / (to - from + 2 * pad);
  const rows = point.intervals
    .filter(([, low, high]) => low !== null && high !== null)
    .map(([name, low, high], i) => {
      const a = share(low),
        b = share(high);
      const text = low === high ? String(low) : `${low} to ${high}`;
      return [
        el("span", {}, name),
        el(
          "span",
          {
            class: `track ${i ? "below" : "above"}`,
            role: "img",
            "aria-label": `${name}: ${text}`,
          },
          el("i", { style: `left:${a.toFixed(3)}%;width:${Math.max(b - a, 0).toFixed(3)}%` }),
        ),
        el(
          "span",
          { class: "ends" },
          low === high
            ? el("span", {}, text)
            : [
                "at least ",
                el("span", {}, String(low)),
                ", at most ",
                el("span", {}, String(high)),
              ],
        ),
      ];
    });
  const { row } = point,
    methods = [];
  if (row.primal_method) methods.push(`network by ${row.primal_method}`);
  if (row.dual_method) methods.push(`bound by ${row.dual_method}`);
  if (row.method) methods.push(`bound by ${row.method}`);
  if (row.relative_gap !== undefined) methods.push(`relative gap ${short(row.relative_gap)}`);
  if (row.excess !== undefined) methods.push(`${short(row.excess)} for certain`);
  return [
    el("div", { class: "bounds" }, rows),
    el(
      "p",
      { class: "quiet" },
      meet ? "All of them meet, to the eye and to nine digits. " : "",
      methods.join("; "),
    ),
  ];
}

function proofs(point) {
  const title =
    point.proofs.length > 1 ? "The certificates, in words" : "The certificate, in words";
  if (!point.proofs.length)
    return [el("h2", {}, title), el("p", {}, "There is none: nothing of this problem is proved.")];
  return [el("h2", {}, title), point.proofs.map(proof)];
}

function proof({ for: what, file, line, words }) {
  const command = `sed -n ${line}p ${file} > one.jsonl\nzerogap verify one.jsonl --explain`;
  const pre = el("pre", { tabindex: 0, "aria-label": "Command that proves it again" }, command);
  const told = words.map((text) => {
    const label = text.slice(0, 10).trim();
    return [label ? el("dt", {}, label) : null, el("dd", {}, text.slice(10))];
  });
  return [
    what ? el("h3", {}, `Of ${what}`) : null,
    el("dl", { class: "words" }, told),
    el(
      "p",
      { class: "quiet" },
      "To prove it again, where the run was made, with no solver and no trust in this page:",
    ),
    pre,
    copier(pre),
  ];
}

function copier(pre) {
  const copy = async (event) => {
    try {
      await navigator.clipboard.writeText(pre.textContent);
      event.target.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(pre);
      event.target.textContent = "Selected: copy it";
    }
  };
  return el("button", { type: "button", onclick: copy }, "Copy");
}

function curve({ row, curve: steps, facts: told }) {
  const width = Math.min(view.clientWidth, 560),
    height = 190,
    left = 62,
    right = 10,
    bottom = 34,
    top = 10;
  const levels = [
    [row.primal, "above"],
    [row.dual, "below"],
  ].filter(([value]) => value > 0);
  const values = [...steps, ...levels.map(([value]) => [0, value])]
    .map(([, value]) => value)
    .filter((v) => v > 0);
  const low = Math.min(...values),
    high = 1.05 * Math.max(...values),
    end = steps.at(-1)[0] || 1;
  const x = (step) => left + ((width - left - right) * step) / end;
  const y = (value) =>
    top +
    (height - bottom - top) * (1 - Math.log(Math.max(value, low) / low) / Math.log(high / low));
  const said = [
    `${plural(told.restarts, "run")}: the best reached ${short(told.best)}`,
    `the median ${short(told.median)}`,
  ];
  if (told.share_optimal !== undefined)
    said.push(`${Math.round(100 * told.share_optimal)} % of them found the optimum`);
  const path = pathOf(steps.map(([step, value]) => [x(step), y(value)]));
  return el(
    "figure",
    {},
    picture(
      width,
      height,
      said.join("; "),
      [low, high].map((v) =>
        svg("text", { x: left - 8, y: y(v) + 4, "text-anchor": "end" }, short(v)),
      ),
      levels.map(([v, kind]) =>
        svg("line", { class: `level ${kind}`, x1: left, x2: width - right, y1: y(v), y2: y(v) }),
      ),
      svg("path", { class: "curve", d: path }),
      svg("text", { x: left, y: height - 14 }, "0"),
      svg("text", { x: width - right, y: height - 14, "text-anchor": "end" }, plural(end, "step")),
    ),
    el("figcaption", {}, `${said.join("; ")}. Dashed: the best network known and the dual bound.`),
  );
}

function facts(point) {
  const list = (pairs) =>
    el(
      "dl",
      {},
      Object.entries(pairs).map(([key, value]) => [
        el("dt", {}, key.replaceAll("_", " ")),
        el("dd", {}, String(value)),
      ]),
    );
  return el(
    "details",
    {},
    el("summary", {}, `All that the tables say of it (${point.table})`),
    list(point.row),
    point.facts ? list(point.facts) : null,
  );
}
