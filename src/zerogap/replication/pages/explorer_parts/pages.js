// Going about: addresses, keys, the look.

let shown = null;

function nowhere(kind, id) {
  const page = [
    el("h1", { tabindex: -1 }, "There is no such page"),
    el("p", {}, `This run has no ${kind} `, el("strong", {}, id), "."),
    el("p", {}, el("a", { href: "#" }, "To the scoreboard")),
  ];
  return { title: "not here", page };
}

function show(first) {
  const [, kind, name] = location.hash.match(/^#(claim|problem)\/(.*)$/) ?? [];
  let id = name;
  try {
    id = decodeURIComponent(name ?? "");
  } catch {
    /* an address that is no address names nothing */
  }
  const found =
    kind === "claim" ? sections.find((s) => s.id === id) : kind && points.find((p) => p.id === id);
  const before = shown;
  if (!kind) shown = overview();
  else if (!found) shown = nowhere(kind, id);
  else shown = kind === "claim" ? claim(found) : problem(found);
  shown.up = kind === "problem" && found ? claimPage(sections[found.section]) : kind ? "#" : null;
  shown.here = kind ? location.hash : "#";
  view.replaceChildren(...shown.page.flat(9).filter(Boolean));
  document.title = [shown.title, document.documentElement.dataset.title]
    .filter(Boolean)
    .join(" · ");
  shown.ready?.();
  if (first) return;
  // Going up, what was open before has the focus again; else the new heading does.
  const back =
    before?.up === shown.here
      ? [...view.querySelectorAll("a")].find((a) => a.getAttribute("href") === before.here)
      : null;
  if (back) back.focus();
  else {
    scrollTo({ top: 0, behavior: "instant" });
    view.querySelector("h1").focus({ preventScroll: true });
  }
}

addEventListener("hashchange", () => show(false));
addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey || event.target.closest("select, input"))
    return;
  if (event.key === "Escape" && shown.up !== null) location.hash = shown.up;
  const side = { ArrowLeft: "before", ArrowRight: "after" }[event.key];
  if (side && !event.target.closest("pre, .scroll")) document.getElementById(side)?.click();
  const links = [...view.querySelectorAll("[data-walk]")],
    at = links.indexOf(document.activeElement);
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step && at >= 0 && links[at + step]) {
    event.preventDefault();
    links[at + step].focus();
  }
});
let resized = view.clientWidth;
addEventListener("resize", () => {
  if (view.clientWidth === resized) return;
  resized = view.clientWidth;
  shown.redraw ? shown.redraw() : show(true);
});

document.documentElement.dataset.title = document.title;
function otherLook() {
  const { colorScheme } = getComputedStyle(document.documentElement);
  const wished = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  const now = colorScheme === "dark" || colorScheme === "light" ? colorScheme : wished;
  document.documentElement.style.colorScheme = now === "dark" ? "light" : "dark";
}
const made = [`zerogap ${run.version}`];
if (run.commit) made.push(`commit ${run.commit.slice(0, 10)}${run.modified ? ", modified" : ""}`);
document
  .getElementById("top")
  .append(
    el("a", { href: "#" }, document.title),
    el("span", { class: "quiet" }, made.join(", ")),
    el("button", { type: "button", "aria-label": "Light or dark", onclick: otherLook }, "◐"),
  );
show(true);
