"""Value of parallel networks against the number of branches, and the bound that they meet."""

from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from zerogap.replication.figures import style
from zerogap.replication.tables.frames import read

CAPTION = (
    "Value of parallel networks against the number of branches, and the dual bound that "
    "enough of them meet."
)
TABLES = ("details.csv",)

TITLES = {
    ("linear", 3): "linear, $L=3$",
    ("relu", 2): "ReLU, $L=2$",
    ("relu", 3): "ReLU, $L=3$",
}


def draw(tables: Path) -> Figure:
    """Best value for m = 1, 2, … branches; dotted: the dual; a ring marks the first proved zero."""
    details = read(tables, "details.csv")
    cell = details[details["setting"] == "branches"]
    figure, axes = style.panels(3, width=4.4)
    for one, ((activation, depth), title) in zip(axes, TITLES.items(), strict=True):
        path = cell[(cell["activation"] == activation) & (cell["depth"] == depth)]
        if path.empty:
            style.missing(one, title)
            continue
        path = path.sort_values("branches_allowed")
        one.plot(path["branches_allowed"], path["primal"], marker="o", label="best network")
        one.axhline(path["dual"].max(), color=style.BOUND, ls=":", label="dual bound $D$")
        closed = path[path["proved_verdict"] == "zero"]
        if not closed.empty:
            first = closed.iloc[0]
            one.scatter(
                first["branches_allowed"], first["primal"], s=180, facecolors="none",
                edgecolors=style.ZERO, linewidths=2, label=f"$m^* = {first['branches_allowed']:g}$",
            )  # fmt: skip
        one.set(xlabel="branches $m$", ylabel=r"objective $P_\beta(m)$", title=title)
        one.xaxis.set_major_locator(MaxNLocator(integer=True))
        one.legend(frameon=False, fontsize=9)
    figure.suptitle("Enough branches close the gap")
    return style.finish(figure)
