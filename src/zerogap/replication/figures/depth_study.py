"""Three layers against the path program of four: how often and how far the bound falls."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from zerogap.replication.figures import style
from zerogap.replication.tables.frames import read

CAPTION = (
    "Three layers against the path program of four: how far the bound falls, on random data "
    "and on data found by ascent."
)
TABLES = ("depth.csv",)

# Below this, relative, a difference is no larger than the brackets are wide.
_FLOOR = 1e-6
LABELS = {
    "random": "random data",
    "adversarial": "found by ascent",
    "network": "four shared layers",
}


def draw(tables: Path) -> Figure:
    """One point per data set: the certified relative difference, on the floor if there is none.

    The star is an actual network of four layers, all others are path programs. Above each n: how
    many of the random data sets have a difference.
    """
    frame = read(tables, "depth.csv")
    figure, axes = style.panels(2, width=4.6)
    if frame.empty:
        style.missing(axes, "the depth study")
        return figure
    for one, d in zip(axes, (2, 3), strict=True):
        cell = frame[frame["d"] == d]
        if cell.empty:
            style.missing(one, f"$d={d}$")
            continue
        for kind, colour, marker in (
            ("random", style.PALETTE[0], "o"),
            ("adversarial", style.POSITIVE, "^"),
            ("network", style.ZERO, "*"),
        ):
            points = cell[cell["kind"] == kind].sort_values(["n", "relative_lower"])
            # Side by side in order of height, so that all points of one n show.
            rank = points.groupby("n").cumcount() / points.groupby("n")["n"].transform("size")
            height = np.where(points["certified"], points["relative_lower"], _FLOOR)
            one.scatter(
                points["n"] + 0.7 * (rank - 0.5), height, s=90 if marker == "*" else 16,
                marker=marker, color=colour, alpha=0.8, label=LABELS[kind],
            )  # fmt: skip
        random = cell[cell["kind"] == "random"]
        for n, group in random.groupby("n"):
            text = f"{group['certified'].sum()}/{len(group)}"
            one.text(n, 0.35, text, ha="center", fontsize=9, color="0.3")
        one.axhline(_FLOOR, color=style.BOUND, ls=":", lw=1)
        one.set(yscale="log", ylim=(_FLOOR / 2, 0.7), xlabel="samples $n$", title=f"$d={d}$")
        one.set_xticks(sorted(cell["n"].unique()))
    axes[0].set_ylabel(r"$1 - D_1^{\mathrm{path}}(4)\,/\,D_1(3)$")
    drawn = axes[0] if axes[0].collections else axes[1]
    drawn.legend(frameon=False, fontsize=9, loc="center left")
    found = int(frame["certified"].sum())
    figure.suptitle(
        f"Four layers, shared or not, are below three on {found} of {len(frame)} data sets"
        if found
        else "The path program of four layers meets three"
    )
    return style.finish(figure)
