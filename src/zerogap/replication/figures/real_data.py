"""Whole data sets against β: how far the optimum is known, what it costs, how many neurons."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from zerogap.replication.figures import style
from zerogap.replication.tables.frames import read

CAPTION = (
    "Two-layer ReLU networks on whole data sets, against the penalty β: the relative width of "
    "the proved bracket, the objective of its network, and the network's neurons. Where the "
    "bracket is narrow the optimum is known."
)
ALT = (
    "Three panels against the penalty, a mark for every data set: width of the bracket, "
    "objective and number of neurons."
)
TABLES = ("details.csv",)
CLAIMS = ("real-data",)

# Narrower brackets, relative, are drawn here.
_FLOOR = 1e-10
NAMES = {"iris": "Iris", "wine": "wine", "diabetes": "Diabetes", "cancer": "breast cancer"}


def draw(tables: Path) -> Figure:
    """One line for every data set; what is not certified is left out."""
    details = read(tables, "details.csv")
    cell = details[(details["setting"] == "real-data-whole") & details["proved_dual"].notna()]
    figure, axes = style.panels(3, height=2.5)
    if cell.empty:
        style.missing(axes, "whole data sets")
        return style.finish(figure)
    cell = cell.assign(
        name=cell["instance"].str.split("-").str[0],
        gap=(1 - cell["proved_dual"] / cell["proved_primal"]).clip(lower=_FLOOR),
    ).sort_values("beta")
    for (name, label), marker in zip(NAMES.items(), "os^D", strict=True):
        path = cell[cell["name"] == name]
        for one, column in zip(axes, ("gap", "proved_primal", "width"), strict=True):
            one.plot(path["beta"], path[column], marker=marker, ms=4, label=label)
    for one, said in zip(
        axes, ("relative width of the bracket", "objective", "neurons"), strict=True
    ):
        one.set(xscale="log", xlabel=r"$\beta$", ylabel=said)
    axes[0].set(yscale="log", ylim=(_FLOOR / 4, 1))
    axes[0].yaxis.set_major_locator(LogLocator(numticks=6))
    axes[0].yaxis.set_minor_locator(NullLocator())
    axes[2].set_ylim(bottom=0)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    widest = float(np.ceil(1000 * cell["gap"].max()) / 10)
    exact = int((cell["gap"] <= 1e-6).sum())
    return style.finish(
        figure, f"{exact} of {len(cell)} optima known to 1e-6, the others within {widest:g} %"
    )
