"""Networks that people train: how far from the best there is, against width, recipe and problem."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from zerogap.replication.figures import style
from zerogap.replication.tables.frames import read

CAPTION = (
    "Trained networks: how far above the best of any width at most, proved, as a share of their "
    "objective, against their width, how they were trained, and the problem. Grey: what is not "
    "known of the optimum itself. Where points stand on the grey the bound is what is not tight, "
    "not the network."
)
ALT = (
    "Three panels of points, one per trained network, with the proved distance to the optimum on "
    "a logarithmic axis, against width, recipe and problem. Grey bars are what is not known of "
    "each problem's optimum."
)
TABLES = ("audits.csv",)

# Smaller gaps, relative, are drawn here.
_FLOOR = 1e-5
# How networks were trained.
RECIPES = {"sgd": "SGD", "adam": "Adam", "adam-long": "Adam, longer", "adamw": "AdamW"}


def title(frame: pd.DataFrame) -> str:
    """What the networks say together, bounds rounded outward."""
    most = np.ceil(1000 * (frame["objective"] / frame["lower"] - 1).median()) / 10
    least = np.floor(1000 * (frame["objective"] / frame["best"] - 1).median()) / 10
    return (
        f"Half of {len(frame)} networks are at most {most:g} % above the best there is, "
        f"half at least {least:g} %"
    )


def draw(tables: Path) -> Figure:
    """One point per network, three times; what is not certified is left out.

    Hollow: three layers. Lines: medians of two-layer networks. Grey bars: how wide the bracket of a
    problem's optimum is, the part that is not the networks'.
    """
    frame = read(tables, "audits.csv")
    frame = frame[frame["certified"].astype(bool)].reset_index(drop=True)
    figure, axes = style.panels(3, height=3.2)
    if frame.empty:
        style.missing(list(axes), "trained networks")
        return style.finish(figure)
    frame = frame.assign(
        recipe=frame["network"].str.rsplit("-", n=1).str[0],
        height=frame["relative_gap"].astype(float).clip(lower=_FLOOR),
    )
    problems = list(dict.fromkeys(frame["problem"]))
    widths = sorted(frame["width"].unique())
    for place, (name, label) in enumerate(RECIPES.items()):
        part, colour = frame[frame["recipe"] == name], style.PALETTE[place]
        shift = place / len(RECIPES) - 0.375
        problem, width = part["problem"].map(problems.index), part["width"].map(widths.index)
        spread = 0.18 * (problem / len(problems) - 0.5)
        _points(axes[0], width + 0.8 * shift + spread, part, colour, label)
        _points(axes[1], place + 4 * spread, part, colour, label)
        _points(axes[2], problem + 0.8 * shift, part, colour, label)
        two = part[part["depth"] == 2]
        middle = two.groupby("width")["height"].median()
        axes[0].plot([widths.index(w) for w in middle.index], middle, color=colour, zorder=2)
        axes[1].plot([place - 0.4, place + 0.4], [two["height"].median()] * 2, color=colour)
    unknown = (1 - frame["lower"] / frame["best"]).groupby(frame["problem"]).max()
    axes[2].bar(problems, unknown[problems].clip(lower=_FLOOR), width=0.9, color="0.85", zorder=0)
    for one in axes:
        one.set(yscale="log", ylim=(_FLOOR / 2, 1.5))
        one.yaxis.set_minor_locator(NullLocator())
    axes[0].set(xlabel="neurons a layer", ylabel="gap at most, of the objective")
    axes[0].set_xticks(range(len(widths)), widths)
    axes[1].set(xlabel="how they were trained", xticks=[])
    axes[2].set_xticks(range(len(problems)), problems, rotation=90)
    for one in axes[1:]:
        one.tick_params(labelleft=False)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return style.finish(figure, title(frame))


def _points(axes: Axes, where: pd.Series, part: pd.DataFrame, colour: Any, label: str) -> None:
    deep = part["depth"] > 2
    for chosen, fill, said in ((~deep, colour, label), (deep, "none", None)):
        axes.scatter(
            where[chosen], part["height"][chosen], s=9, facecolors=fill, edgecolors=colour,
            linewidths=0.7, alpha=0.8, label=said, zorder=3,
        )  # fmt: skip
