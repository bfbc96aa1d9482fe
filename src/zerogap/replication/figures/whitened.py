"""Whitened one-hot data, standard ReLU: gap against depth and imbalance, and bottlenecks."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from zerogap.replication.figures import style
from zerogap.replication.tables.frames import read
from zerogap.theory.whitened import one_hot_orthogonal

CAPTION = (
    "Standard ReLU networks on whitened one-hot data: the gap grows with depth, and low-rank "
    "bottlenecks undercut one direction per class."
)
TABLES = ("details.csv",)


def draw(tables: Path) -> Figure:
    """Two classes, three and more classes, and primal over the orthogonal value with ranks."""
    details = read(tables, "details.csv")
    cell = details[details["setting"] == "relu-standard-whitened"].copy()
    figure, axes = style.panels(3, width=5.0, height=4.2)
    if cell.empty:
        style.missing(axes, "whitened data")
        return figure
    cell["gap"] = 1 - cell["dual"] / cell["primal"]
    cell["classes"] = cell["sizes"].map(lambda s: len(s.split("-")))
    for one, many, title in ((axes[0], False, "two classes"), (axes[1], True, "three or four")):
        part = cell[(cell["classes"] > 2) == many]
        for colour, (sizes, path) in zip(
            sns.color_palette("colorblind"), part.groupby("sizes"), strict=False
        ):
            path = path.sort_values("depth")
            one.plot(path["depth"], path["gap"], color=colour, marker="o", ms=4, label=sizes)
        one.set(xlabel="depth $L$", ylabel=r"relative gap $(P-D)/P$", ylim=(-0.02, 0.75))
        one.set_xticks(range(2, 7))
        one.set_title(f"{title}: sizes $n_1$-$n_2$-…")
        if not part.empty:
            one.legend(frameon=False, fontsize=8, ncols=2)
    _bottlenecks(axes[2], details)
    figure.suptitle(
        "Whitened data: the gap grows with depth, and deep bottlenecks beat one direction per class"
    )
    return style.finish(figure)


def _bottlenecks(axes: Axes, details: pd.DataFrame) -> None:
    """Best network over the orthogonal value at three classes, with its ranks per layer."""
    part = details[
        details["setting"].isin(["relu-standard-whitened", "whitened-orthogonal"])
        & details["sizes"].isin(["1-1-1", "2-2-2"])
        & (details["depth"] > 2)
    ]
    if part.empty:
        style.missing(axes, "three classes")
        return
    part = part.sort_values("primal").drop_duplicates(["sizes", "depth"])
    for colour, (sizes, path) in zip(
        sns.color_palette("colorblind"), part.groupby("sizes"), strict=False
    ):
        path = path.sort_values("depth")
        counts = np.array([float(s) for s in str(sizes).split("-")])
        formula = [L / 2 * one_hot_orthogonal(counts, L) ** (2 / L) for L in path["depth"]]
        ratio = path["primal"].to_numpy() / np.array(formula)
        axes.plot(path["depth"], ratio, color=colour, marker="o", label=f"sizes {sizes}")
        if sizes == "1-1-1":
            for depth, value, ranks in zip(path["depth"], ratio, path["ranks"], strict=True):
                text = "-".join(map(str, json.loads(ranks)))
                axes.annotate(text, (depth, value), (0, -14), textcoords="offset points",
                              ha="center", fontsize=8)  # fmt: skip
    axes.axhline(1, color=style.BOUND, lw=1, ls=":")
    axes.set(xlabel="depth $L$", ylabel="best network / orthogonal formula")
    axes.set_xticks(range(3, 7))
    axes.margins(y=0.2, x=0.12)
    axes.set_title("ranks per layer of the best network")
    axes.legend(frameon=False, fontsize=9, loc="lower left")
