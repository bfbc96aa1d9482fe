"""Where low rank wins: the best networks known for many whitened classes, standard ReLU."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from zerogap.replication.figures import style
from zerogap.replication.tables.directions import directions
from zerogap.replication.tables.frames import read

CAPTION = (
    "One-hot targets of K classes on whitened data, standard ReLU networks of L layers. Left: the "
    "scaled cost of the best network known over that of one orthogonal direction per class, and "
    "its rank; the ratio falls with depth. Right: between the best network and the lower bound "
    "that is proved (dashed) lies the optimum."
)
ALT = (
    "A table of classes against depth, white where one direction per class is best, darker where a "
    "network of lower rank costs less, down to a sixth; beside it costs falling with depth above "
    "dashed lower bounds."
)
TABLES = ("details.csv",)
CLAIMS = ("whitened-orthogonal",)

SETTING = "whitened-bottlenecks"
# Numbers of classes whose brackets are drawn.
_SHOWN = (3, 6, 10, 15)


def scaled(details: pd.DataFrame) -> pd.DataFrame:
    """classes, depth, rank, ratio and lower: P₁ and what it is at least, over that of directions.

    rank: the least of the layers.
    """
    found = details[(details["setting"] == SETTING) & details["primal"].notna()].copy()
    found["classes"] = [len(sizes.split("-")) for sizes in found["sizes"]]
    found["rank"] = [min(json.loads(ranks)) for ranks in found["ranks"]]
    # P is as P₁ to the power 2/L.
    orthogonal, power = directions(found), found["depth"] / 2
    found["ratio"] = (found["primal"] / orthogonal) ** power
    found["lower"] = (found["primal_lower"] / orthogonal) ** power
    return found.sort_values(["classes", "depth"])


def title(found: pd.DataFrame) -> str:
    """Where one direction per class is beaten."""
    won = found[found["ratio"] < 1 - 1e-6]
    if won.empty:
        return "One direction per class is the best known"
    fewest = won.groupby("depth")["classes"].min()
    where = "; ".join(
        f"K ≥ {least} at L = {', '.join(map(str, fewest.index[fewest == least]))}"
        for least in sorted(set(fewest.tolist()))
    )
    return f"Low rank costs less: {where}"


def draw(tables: Path) -> Figure:
    """Ratio and rank by classes and depth, and brackets against depth."""
    found = scaled(read(tables, "details.csv"))
    figure, axes = style.panels(2, height=3.2)
    if found.empty:
        style.missing(list(axes), "many whitened classes")
        return style.finish(figure)
    _ranks(axes[0], found)
    _brackets(axes[1], found)
    return style.finish(figure, title(found))


def _ranks(axes: Axes, found: pd.DataFrame) -> None:
    """Ratio as a colour and a number, the rank below it."""
    table = found.pivot_table(index="classes", columns="depth", values="ratio")
    ranks = found.pivot_table(index="classes", columns="depth", values="rank").to_numpy()
    # Never darker than black letters can be read on.
    axes.imshow(table, cmap="Blues_r", vmin=-0.8, vmax=1, aspect="auto")
    for (row, column), ratio in np.ndenumerate(table.to_numpy()):
        if np.isfinite(ratio):
            text = "1" if ratio > 1 - 1e-6 else f"{ratio:.2f}\nrank {ranks[row, column]:.0f}"
            axes.text(column, row, text, ha="center", va="center", fontsize=7, linespacing=0.95)
    axes.set_xticks(range(len(table.columns)), table.columns)
    axes.set_yticks(range(len(table)), table.index)
    axes.set(xlabel="depth $L$", ylabel="classes $K$", title="best known / one direction per class")


def _brackets(axes: Axes, found: pd.DataFrame) -> None:
    """The best network known and the bound below it, a colour for a number of classes."""
    for colour, classes in zip(style.PALETTE, _SHOWN, strict=False):
        path = found[found["classes"] == classes]
        if path.empty:
            continue
        axes.plot(
            path["depth"], path["ratio"], color=colour, marker="o", ms=3, label=f"$K={classes}$"
        )
        axes.plot(path["depth"], path["lower"], color=colour, ls="--", lw=1)
    axes.set(yscale="log", xlabel="depth $L$", title="the same, and proved from below")
    axes.set_xticks(sorted(found["depth"].unique()))
    axes.legend(loc="lower left")
