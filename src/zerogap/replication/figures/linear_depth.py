"""Gap against depth for standard linear networks: theory's curve, trained points, dual bound."""

from pathlib import Path

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from zerogap.replication.figures import style
from zerogap.replication.tables.frames import read

CAPTION = (
    "Gap against depth for standard linear networks: the closed form, trained networks and the "
    "dual bound. The gap depends on the rank, and equal singular values do not close it."
)
ALT = (
    "Two panels, for distinct and equal singular values: the relative gap rises with depth, "
    "faster for higher rank, and stays zero at rank one. Trained networks lie on the lines."
)
TABLES = ("details.csv",)
CLAIMS = ("linear-standard",)

# Trained networks further above the optimum than this, relative, are not shown but counted.
_SHOWN = 0.02


def title(cell: pd.DataFrame) -> str:
    """What the exact gaps of all ranks say together; cell: with their `rank` and `exact` gap."""
    one, more = cell[cell["rank"] == 1], cell[cell["rank"] > 1]
    paths = [path.sort_values("depth")["exact"] for _, path in more.groupby(["spectrum", "rank"])]
    parts = []
    if not one.empty and (one["exact"].abs() < 1e-6).all():
        parts.append("no gap at rank one")
    if paths and all((np.diff(path) > 0).all() for path in paths):
        parts.append("a growing gap at rank two or more")
    return ": ".join(filter(None, ("Standard linear networks", ", ".join(parts))))


def draw(tables: Path) -> Figure:
    """Relative gap against L, one curve per rank; left distinct, right equal singular values."""
    details = read(tables, "details.csv")
    cell = details[(details["setting"] == "linear-standard") & (details["shape"] == "over")].copy()
    cell["rank"] = [text.count(",") + 1 for text in cell["singular_values_data"]]
    cell["exact"] = 1 - cell["dual"] / cell["primal"]
    cell["found"] = 1 - cell["dual"] / cell["trained"]
    # One rank, one colour, in both panels.
    ranks = sorted(cell["rank"].unique())
    colours = dict(zip(ranks, sns.color_palette("viridis", max(4, len(ranks))), strict=False))
    figure, both = style.panels(2, height=2.5)
    for axes, spectrum in zip(both, ("distinct", "equal"), strict=True):
        chosen = cell[cell["spectrum"] == spectrum]
        if chosen.empty:
            style.missing(axes, f"{spectrum} singular values")
            continue
        for rank, path in chosen.groupby("rank"):
            path = path.sort_values("depth")
            axes.plot(path["depth"], path["exact"], color=colours[rank], label=f"rank {rank}")
        good = chosen[chosen["trained"] <= chosen["primal"] * (1 + _SHOWN)]
        shades = [colours[rank] for rank in good["rank"]]
        axes.scatter(good["depth"], good["found"], c=shades, s=22, zorder=3)
        label, away = "best trained", len(chosen) - len(good)
        if away:
            label += f" ({away} not shown)"
        axes.scatter([], [], color="0.3", s=22, label=label)
        axes.axhline(0, color=style.BOUND, lw=1, ls=":")
        axes.set(xlabel="depth $L$", ylim=(-0.03, 0.9), title=f"{spectrum} singular values")
        axes.set_xticks(range(2, 7))
        axes.legend(loc="upper left", ncols=2)
    both[0].set_ylabel(r"relative gap $(P-D)/P$")
    return style.finish(figure, title(cell))
