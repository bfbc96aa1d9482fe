"""How far parallel networks are above the dual bound, against their number of branches."""

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

from zerogap.replication.figures import style
from zerogap.replication.tables.frames import read

CAPTION = (
    "How far the best parallel network found is above the dual bound, against the number of "
    "branches that it may have: with enough branches, ringed, the gap is proved zero."
)
ALT = (
    "Three panels with a logarithmic axis: the relative gap falls with the number of branches, "
    "and drops to rounding at the ringed number."
)
TABLES = ("details.csv",)
CLAIMS = ("branches",)

# Closer to the bound than this, relative, a network is on it.
_FLOOR = 1e-12
TITLES = {
    ("linear", 3): "linear, $L=3$",
    ("relu", 2): "ReLU, $L=2$",
    ("relu", 3): "ReLU, $L=3$",
}


def best(path: pd.DataFrame) -> pd.Series:
    """The least value with at most m branches: a branch more may be zero, so it never rises."""
    return path.sort_values("branches_allowed")["primal"].cummin()


def draw(tables: Path) -> Figure:
    """Relative gap for at most m = 1, 2, … branches; a ring marks the first that is proved zero."""
    details = read(tables, "details.csv")
    cell = details[details["setting"] == "branches"]
    figure, axes = style.panels(3, height=2.3)
    closes, handles = [], {}
    for one, ((activation, depth), title) in zip(axes, TITLES.items(), strict=True):
        path = cell[(cell["activation"] == activation) & (cell["depth"] == depth)]
        if path.empty:
            style.missing(one, title)
            continue
        path = path.sort_values("branches_allowed")
        above = (1 - path["dual"].max() / best(path)).clip(lower=_FLOOR)
        path = path.assign(above=above)
        (line,) = one.plot(path["branches_allowed"], path["above"], marker="o")
        handles["best network found"] = line
        closed = path[path["proved_verdict"] == "zero"]
        closes.append(not closed.empty)
        if not closed.empty:
            first = closed.iloc[0]
            handles["proved zero"] = one.scatter(
                first["branches_allowed"], first["above"], s=90, facecolors="none",
                edgecolors=style.ZERO, linewidths=1.6, zorder=3, clip_on=False,
            )  # fmt: skip
            title += rf": $m^* \leq {first['branches_allowed']:g}$"
        one.set(xlabel="branches $m$", title=title, yscale="log", ylim=(_FLOOR / 4, 4))
        one.yaxis.set_major_locator(LogLocator(numticks=5))
        one.yaxis.set_minor_locator(NullLocator())
        one.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes[0].set_ylabel(r"relative gap $1 - D/P_\beta(m)$")
    if handles:
        figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=2)
    if all(closes):
        return style.finish(figure, "Enough branches close the gap")
    return style.finish(
        figure, f"Enough branches close the gap on {sum(closes)} of {len(closes)} problems"
    )
