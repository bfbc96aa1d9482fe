"""Three layers against the path program of four: how often and how far the bound falls."""

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from zerogap.replication.figures import style
from zerogap.replication.tables.frames import read

CAPTION = (
    "Three layers against the path program of four: how far the bound falls, on random data and "
    "on data found by ascent. To see: from how many samples on they differ, and by how much."
)
ALT = (
    "Two panels of points, for data of two and three dimensions: the relative difference between "
    "three layers and the path program of four on a logarithmic axis, against the number of "
    "samples. Points on the lowest line show no difference."
)
TABLES = ("depth.csv",)
CLAIMS = ("relu-parallel",)

# Below this, relative, a difference is no larger than the brackets are wide.
FLOOR = 1e-6
KINDS = {
    "random": ("random data", style.PALETTE[0], "o"),
    "adversarial": ("found by ascent", style.POSITIVE, "^"),
    "network": ("four shared layers", style.ZERO, "*"),
}


def outcomes(frame: pd.DataFrame) -> pd.DataFrame:
    """Every data set with its `outcome` and the `height` of its point.

    differs: a certificate proves a difference, of at least `height`. equal: there is none beyond
    1e-6. undecided: it is at most `height`, and may be nothing.
    """
    proved = frame["certified"].astype(bool)
    equal = ~proved & (frame["relative_upper"] <= FLOOR)
    found = frame.assign(outcome="undecided", height=frame["relative_upper"])
    found.loc[proved, "outcome"] = "differs"
    found.loc[proved, "height"] = frame["relative_lower"]
    found.loc[equal, "outcome"] = "equal"
    found.loc[equal, "height"] = FLOOR
    return found


def title(found: pd.DataFrame) -> str:
    """What the data sets say together."""
    counts = found["outcome"].value_counts()
    unknown = counts.get("undecided", 0)
    left = f"; {unknown} undecided" if unknown else ""
    if counts.get("differs", 0):
        return f"Four layers are below three on {counts['differs']} of {len(found)} data sets{left}"
    return f"Four layers meet three on {counts.get('equal', 0)} of {len(found)} data sets{left}"


def draw(tables: Path) -> Figure:
    """One point per data set: the certified relative difference, on the floor if there is none.

    Hollow: undecided, at what the difference is at most. Stars are actual networks of four
    layers, all others path programs. Above each n: how many of the random data sets have a
    difference.
    """
    frame = read(tables, "depth.csv")
    figure, axes = style.panels(2, height=2.4)
    if frame.empty:
        style.missing(axes, "the depth study")
        return style.finish(figure)
    found = outcomes(frame)
    seen = {}
    for one, d in zip(axes, (2, 3), strict=True):
        cell = found[found["d"] == d]
        if cell.empty:
            style.missing(one, f"$d={d}$")
            continue
        for kind, (label, colour, marker) in KINDS.items():
            points = cell[cell["kind"] == kind].sort_values(["n", "height"])
            # Side by side in order of height, so that all points of one n show.
            rank = points.groupby("n").cumcount() / points.groupby("n")["n"].transform("size")
            points = points.assign(place=points["n"] + 0.7 * (rank - 0.5))
            hollow = points["outcome"] == "undecided"
            for part, fill in ((points[~hollow], colour), (points[hollow], "none")):
                if part.empty:
                    continue
                drawn = one.scatter(
                    part["place"], part["height"], s=70 if marker == "*" else 13, zorder=3,
                    marker=marker, facecolors=fill, edgecolors=colour, linewidths=0.9, alpha=0.85,
                )  # fmt: skip
                seen[label if fill != "none" else "undecided: at most this"] = drawn
        random = cell[cell["kind"] == "random"]
        for n, group in random.groupby("n"):
            text = f"{group['certified'].sum()}/{len(group)}"
            one.text(n, 0.35, text, ha="center", fontsize=8, color="0.3")
        one.axhline(FLOOR, color=style.BOUND, ls=":", lw=1)
        one.set(yscale="log", ylim=(FLOOR / 2, 0.7), xlabel="samples $n$", title=f"$d={d}$")
        one.set_xticks(sorted(cell["n"].unique()))
    axes[0].set_ylabel(r"$1 - D_1^{\mathrm{path}}(4)\,/\,D_1(3)$")
    figure.legend(seen.values(), seen.keys(), loc="outside lower center", ncols=len(seen))
    return style.finish(figure, title(found))
