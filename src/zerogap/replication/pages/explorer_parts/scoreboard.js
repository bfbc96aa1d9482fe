// The first page: every claim with its verdict, Table 1, the studies.

function overview() {
  const claims = sections.filter((s) => s.verdict),
    own = sections.filter((s) => s.id === "own-data");
  const studies = sections.filter((s) => !claims.includes(s) && !own.includes(s));
  const count = claims.reduce((sum, s) => sum + s.points.length, 0);
  const certified = claims.reduce((sum, s) => sum + s.certified, 0);
  const page = [
    el(
      "h1",
      { tabindex: -1 },
      claims.length ? "What holds, and what proves it" : "What was bracketed",
    ),
  ];
  if (claims.length) {
    page.push(
      el(
        "p",
        {},
        `${plural(claims.length, "claim")} of the paper, tested on ${count} problems. ${certified} `,
        "of them have a certificate that the checker accepts: a network above, a dual bound below. ",
        "Open a claim to see its problems, and a problem to see its data, its network and proof.",
      ),
      board(claims, "Claim"),
      legend(claims[0], KINDS),
    );
  }
  if (table1.length)
    page.push(el("h2", {}, "Table 1 of the paper, and what was proved"), tableOne());
  if (studies.length) page.push(el("h2", {}, "Beyond the paper"), board(studies, "Study"));
  if (own.length) page.push(el("h2", {}, "Your own data"), board(own, "Data"));
  page.push(
    el(
      "p",
      { class: "quiet keys" },
      el("kbd", {}, "Tab"),
      " and arrow keys move, ",
      el("kbd", {}, "Enter"),
      " opens, ",
      el("kbd", {}, "Esc"),
      " goes back up. On a problem ",
      el("kbd", {}, "←"),
      " and ",
      el("kbd", {}, "→"),
      " go to its neighbours. Every claim and problem has an address of its own.",
    ),
  );
  return { title: "", page };
}

function board(list, what) {
  const row = (section) => {
    const kinds = KINDS.map((kind) => section.points.filter((i) => points[i].kind === kind).length);
    const told = KINDS.map((kind, i) =>
      kinds[i] ? `${kinds[i]} ${section.legend[kind]}` : null,
    ).filter(Boolean);
    return el(
      "tr",
      {},
      name(el("a", { href: claimPage(section), "data-walk": true }, section.title)),
      el(
        "td",
        {},
        section.verdict
          ? verdictBadge(section.verdict)
          : badge(`${section.certified} certified`, "good"),
      ),
      el(
        "td",
        { title: told.join("; ") },
        plural(section.points.length, "problem"),
        el(
          "span",
          { class: "counts", role: "img", "aria-label": told.join("; ") },
          KINDS.map((kind, i) =>
            kinds[i] ? el("i", { class: kind, style: `flex:${kinds[i]}` }) : null,
          ),
        ),
      ),
      el("td", {}, section.evidence),
    );
  };
  return el(
    "div",
    { class: "scroll" },
    el(
      "table",
      { class: "board" },
      header([what, list[0].verdict ? "Verdict" : "Certificates", "Problems", "Evidence"]),
      el("tbody", {}, list.map(row)),
    ),
  );
}

function tableOne() {
  const rows = [
    ...new Set(
      table1.map((c) => `${c.architecture}, ${c.activation === "relu" ? "ReLU" : "linear"}`),
    ),
  ];
  const depths = [...new Set(table1.map((c) => String(c.depth)))];
  const cell = (c) =>
    el(
      "td",
      {},
      el("div", {}, el("span", { class: "quiet" }, "paper "), c.paper),
      el("div", {}, el("span", { class: "quiet" }, "ours "), el("strong", {}, c.ours)),
      el(
        "div",
        { class: "quiet" },
        `${c.certified}/${c.instances} certified`,
        c.worst_relative_gap === null ? "" : `, gaps to ${short(c.worst_relative_gap)}`,
      ),
      c.condition ? el("div", {}, c.condition) : null,
    );
  return el(
    "div",
    { class: "scroll" },
    el(
      "table",
      {},
      header([
        "Networks",
        ...depths.map((depth) => (depth.startsWith(">") ? "L > 3" : `L = ${depth}`)),
      ]),
      el(
        "tbody",
        {},
        rows.map((row, i) =>
          el(
            "tr",
            {},
            name(row),
            table1.slice(depths.length * i, depths.length * (i + 1)).map(cell),
          ),
        ),
      ),
    ),
  );
}
