"""Whitened one-hot data, standard ReLU: gap against depth and imbalance, and bottlenecks."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from zerogap.replication.figures import style
from zerogap.replication.tables.frames import read
from zerogap.theory.whitened import one_hot_orthogonal

CAPTION = (
    "Standard ReLU networks on whitened one-hot data: the gap of the best networks found, the gap "
    "that is proved, and low-rank bottlenecks that undercut one direction per class."
)
TABLES = ("details.csv",)

SETTINGS = ("relu-standard-whitened", "whitened-orthogonal")


def best(details: pd.DataFrame) -> pd.DataFrame:
    """The best that is known of every (sizes, depth), whichever settings it was solved in.

    gap: of the best network found, above the dual bound. proved: what the gap is at least.
    orthogonal: the cost of one direction per class.
    """
    cell = details[details["setting"].isin(SETTINGS) & details["primal"].notna()]
    cell = cell.sort_values("primal", kind="stable")
    key = ["sizes", "depth"]
    bounds = cell.groupby(key).agg({"dual": "max", "primal_lower": "max", "dual_upper": "min"})
    found = cell.drop_duplicates(key)[[*key, "primal", "ranks"]].join(bounds, on=key)
    found["gap"] = 1 - found["dual"] / found["primal"]
    found["proved"] = (1 - found["dual_upper"] / found["primal_lower"]).clip(lower=0)
    found["classes"] = [len(sizes.split("-")) for sizes in found["sizes"]]
    found["orthogonal"] = [
        depth / 2 * one_hot_orthogonal(np.array(sizes.split("-"), dtype=float), int(depth))
        ** (2 / depth)
        for sizes, depth in zip(found["sizes"], found["depth"], strict=True)
    ]  # fmt: skip
    return found.sort_values(key)


def title(found: pd.DataFrame) -> str:
    """How often a gap is proved from three layers on, and what bottlenecks do."""
    deep = found[found["depth"] > 2]
    if deep.empty:
        return "Whitened data, two layers"
    gaps = int((deep["proved"] > 0).sum())
    text = f"A gap is proved on {gaps} of {len(deep)} whitened problems of three and more layers"
    beaten = 1 - (deep["primal"] / deep["orthogonal"]).min()
    return text + (f"; bottlenecks save up to {beaten:.1%}" if beaten > 1e-6 else "")


def draw(tables: Path) -> Figure:
    """Two classes, three and more classes, and primal over the orthogonal value with ranks."""
    details = read(tables, "details.csv")
    figure, axes = style.panels(2, 2, height=2.2)
    found = best(details)
    if found.empty:
        style.missing(list(axes.flat), "whitened data")
        return style.finish(figure)
    for one, many, name in ((axes[0, 0], False, "two"), (axes[0, 1], True, "three and more")):
        part = found[(found["classes"] > 2) == many]
        if part.empty:
            style.missing(one, f"{name} classes")
            continue
        _gaps(one, part)
        one.set(xlabel="depth $L$", title=f"{name} classes: sizes $n_1$-$n_2$-…")
    axes[0, 0].set_ylabel(r"relative gap $(P-D)/P$")
    _bottlenecks(axes[1, 0], found)
    axes[1, 1].set_axis_off()
    lines = [
        Line2D([], [], color="0.3", marker="o", ms=3, label="best network found, above $D$"),
        Line2D([], [], color="0.3", ls="--", label="proved: the gap is at least this"),
        Line2D([], [], color=style.BOUND, ls=":", lw=1, label="one direction per class"),
    ]
    axes[1, 1].legend(handles=lines, loc="center")
    return style.finish(figure, title(found))


def _gaps(axes: Axes, part: pd.DataFrame) -> None:
    """Gap of the best network found (solid) and proved lower gap (dashed), a line per sizes."""
    for colour, (sizes, path) in zip(
        sns.color_palette("colorblind"), part.groupby("sizes"), strict=False
    ):
        axes.plot(path["depth"], path["gap"], color=colour, marker="o", ms=3, label=sizes)
        axes.plot(path["depth"], path["proved"], color=colour, ls="--", lw=1)
    axes.set_ylim(-0.02, 1)
    axes.set_xticks(range(2, 7))
    axes.legend(ncols=3, loc="upper left", columnspacing=1)


def _bottlenecks(axes: Axes, found: pd.DataFrame) -> None:
    """Best network over the orthogonal value at three equal classes, with its ranks per layer."""
    part = found[found["sizes"].isin(["1-1-1", "2-2-2"]) & (found["depth"] > 2)]
    if part.empty:
        style.missing(axes, "three classes")
        return
    for colour, marker, (sizes, path) in zip(
        sns.color_palette("colorblind"), "os", part.groupby("sizes"), strict=False
    ):
        ratio = path["primal"] / path["orthogonal"]
        axes.plot(path["depth"], ratio, color=colour, marker=marker, ms=4, label=f"sizes {sizes}")
        if sizes == "1-1-1":
            for depth, value, ranks in zip(path["depth"], ratio, path["ranks"], strict=True):
                text = "-".join(map(str, json.loads(ranks)))
                place, side = ((0, -11), "center") if depth < 5 else ((-4, -15), "right")
                axes.annotate(
                    text, (depth, value), place, textcoords="offset points", ha=side, fontsize=8
                )
    axes.axhline(1, color=style.BOUND, lw=1, ls=":")
    axes.set(xlabel="depth $L$", ylabel="best found / one direction")
    axes.set_xticks(range(3, 7))
    axes.margins(y=0.35, x=0.15)
    axes.set_title("three classes: ranks per layer")
    axes.legend(loc="lower left")
