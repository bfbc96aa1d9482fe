"""Whitened one-hot data, standard ReLU: gaps found and proved, and bottlenecks."""

import json
from itertools import groupby
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import PercentFormatter

from zerogap.model.problem import Problem
from zerogap.replication.figures import style
from zerogap.replication.tables.directions import directions
from zerogap.replication.tables.frames import read
from zerogap.solving.bottlenecks import bottleneck
from zerogap.theory.whitened import one_hot_lower, one_hot_orthogonal

CAPTION = (
    "Standard ReLU networks on whitened one-hot data of K classes. Left: the gap of the best "
    "networks found, and the gap that is proved, a line for every choice of class sizes; those "
    "of one K nearly coincide. Middle: balanced classes, where by theory the gap lies between "
    "the dashed line, one for all K, and that of its K. Right: how far bottlenecks of low rank "
    "undercut one direction per class."
)
ALT = (
    "Three panels against depth. In the first two the relative gap of the best networks rises "
    "with depth and with the number of classes, until bottlenecks hold it, and a dashed line "
    "below proves that it is positive from three layers on; for two classes both coincide. In "
    "the third the cost of the best network falls below that of one direction per class from "
    "five layers on."
)
TABLES = ("details.csv",)
CLAIMS = ("relu-standard-whitened", "whitened-orthogonal")

SETTINGS = ("relu-standard-whitened", "whitened-orthogonal")
# Balanced classes, and depths.
_CLASSES, _DEPTHS = (2, 3, 5, 10), range(2, 11)


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
    found["orthogonal"] = directions(found)
    return found.sort_values(key)


def bracket(classes: int, depth: int) -> tuple[float, float]:
    """Between what the relative gap of balanced classes is by theory (§7).

    Below by the averages over pairs, above by bottlenecks.
    """
    sizes, eye = np.ones(classes), np.eye(classes)
    dual = float(classes)  # D₁ = Σ √n_k
    least, most = one_hot_lower(sizes, depth), one_hot_orthogonal(sizes, depth)
    if depth > 2:
        problem = Problem(eye, eye, activation="relu", architecture="standard", depth=depth)
        total = bottleneck(problem, sizes).objective(problem)
        most = (2 / depth * total) ** (depth / 2)
    below, above = (1 - (dual / max(value, dual)) ** (2 / depth) for value in (least, most))
    return below, above


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
    """Gaps of the problems solved and of balanced classes, and primal over the orthogonal value."""
    details = read(tables, "details.csv")
    figure, axes = style.panels(3, height=2.7)
    found = best(details)
    if found.empty:
        style.missing(list(axes), "whitened data")
        return style.finish(figure)
    _gaps(axes[0], found)
    _balanced(axes[1])
    _bottlenecks(axes[2], found)
    axes[1].tick_params(labelleft=False)
    for one in axes[:2]:
        one.set(xlabel="depth $L$", ylim=(-0.02, 0.9))
        one.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes[0].set_ylabel("relative gap $(P-D)/P$")
    lines = [
        Line2D([], [], color="0.3", marker="o", ms=3, label="best network known, above $D$"),
        Line2D([], [], color="0.3", ls="--", label="proved: the gap is at least this"),
    ]
    figure.legend(handles=lines, loc="outside lower center", ncols=2)
    return style.finish(figure, title(found))


def _colour(classes: int) -> tuple[float, float, float]:
    """One colour for a number of classes, in all panels."""
    return style.PALETTE[{2: 7, 3: 0, 4: 1, 5: 2}.get(classes, 3)]


def _gaps(axes: Axes, found: pd.DataFrame) -> None:
    """A line per sizes; lines of as many classes lie close and share colour and label."""
    for classes in found["classes"].unique():
        part = found[found["classes"] == classes]
        for _, path in part.groupby("sizes"):
            axes.plot(path["depth"], path["gap"], color=_colour(classes), marker="o", ms=3, lw=1)
            axes.plot(path["depth"], path["proved"], color=_colour(classes), ls="--", lw=1)
        label = f"$K={classes}$"
        _at_the_end(axes, part["depth"].max(), part.groupby("depth")["gap"].mean(), label, classes)
    axes.set_xticks(sorted(found["depth"].unique()))
    axes.set_title("solved")


def _balanced(axes: Axes) -> None:
    depths = list(_DEPTHS)
    for classes in _CLASSES:
        below, above = zip(*(bracket(classes, depth) for depth in depths), strict=True)
        colour = _colour(classes)
        axes.plot(depths, above, color=colour, marker="o", ms=3, lw=1)
        _at_the_end(axes, depths[-1], pd.Series(above, index=depths), f"$K={classes}$", classes)
    # Of balanced classes the bound does not depend on their number.
    axes.plot(depths, below, color="0.3", ls="--", lw=1)
    axes.set_xticks(depths[::2])
    axes.set_title("balanced classes")


def _at_the_end(axes: Axes, depth: int, path: pd.Series, label: str, classes: int) -> None:
    axes.annotate(
        label, (depth, path.iloc[-1]), (4, -5 if classes == 2 else 0), va="center",
        textcoords="offset points", fontsize=8, color=_colour(classes), annotation_clip=False,
    )  # fmt: skip


def _bottlenecks(axes: Axes, found: pd.DataFrame) -> None:
    """Best network over the orthogonal value at three equal classes, with its ranks per layer."""
    part = found[found["sizes"].isin(["1-1-1", "2-2-2"]) & (found["depth"] > 2)]
    if part.empty:
        style.missing(axes, "three classes")
        return
    for marker, (sizes, path) in zip("os", part.groupby("sizes"), strict=False):
        ratio = path["primal"] / path["orthogonal"]
        axes.plot(
            path["depth"], ratio, color=style.PALETTE[0], marker=marker, ms=4, label=sizes,
            markerfacecolor=style.PALETTE[0] if marker == "o" else "none",
        )  # fmt: skip
        if sizes == "1-1-1":
            depths = path["depth"].astype(int)
            labels = [
                f"{L}\n{ranks_of(text)}" for L, text in zip(depths, path["ranks"], strict=True)
            ]
            axes.set_xticks(depths, labels)
    axes.axhline(1, color=style.BOUND, lw=1, ls=":")
    axes.set(xlabel="depth $L$ and ranks", title="best / one direction")
    axes.margins(x=0.15)
    axes.legend(loc="lower left", title="class sizes", title_fontsize=8)


def ranks_of(text: str) -> str:
    """Ranks per layer, in short: [2, 2, 2, 3] is 2³ 3."""
    powers = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
    runs = [(rank, len(list(run))) for rank, run in groupby(json.loads(text))]
    return "".join(
        f"{rank}{str(count).translate(powers) if count > 1 else ''}" for rank, count in runs
    )
