"""Singular values and rank of regularised linear networks against β, by depth."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from zerogap.replication.figures import style
from zerogap.replication.tables.frames import read

CAPTION = "Singular values and rank of regularised linear networks against the penalty β, by depth."
TABLES = ("details.csv",)


def draw(tables: Path) -> Figure:
    """Left: σ_i of the optimal map at L = 2 and L = 4; right: rank against β at every depth."""
    details = read(tables, "details.csv")
    cell = details[details["setting"] == "low-rank"]
    figure, axes = style.panels(3, width=4.6)
    if cell.empty:
        for one in axes:
            style.missing(one, "low-rank path")
        return figure
    for one, depth in zip(axes[:2], (2, 4), strict=True):  # soft threshold beside a jump
        path = cell[cell["depth"] == depth].sort_values("beta")
        values = pd.DataFrame(path["singular_values"].map(json.loads).to_list()).to_numpy()
        for i in range(values.shape[1]):
            one.plot(path["beta"], values[:, i], marker="o", ms=4, label=rf"$\sigma_{i + 1}$")
        one.set(xscale="log", xlabel=r"$\beta$", ylabel=r"singular values $\sigma_i(A)$")
        how = "soft threshold" if depth == 2 else "a jump to zero"
        one.set_title(f"$L={depth}$: {how}")
        one.legend(frameon=False, fontsize=9)
    colours = sns.color_palette("viridis", cell["depth"].nunique())
    for colour, depth in zip(colours, sorted(cell["depth"].unique()), strict=True):
        path = cell[cell["depth"] == depth].sort_values("beta")
        shift = 0.03 * (depth - 4)
        axes[2].plot(
            path["beta"],
            path["rank_map"] + shift,
            color=colour,
            marker="o",
            ms=4,
            label=f"$L={depth}$",
        )
    axes[2].set(xscale="log", xlabel=r"$\beta$", ylabel=r"rank of $A$")
    axes[2].set_yticks(np.arange(0, 5))
    axes[2].set_title("deeper networks drop rank first")
    axes[2].legend(frameon=False, fontsize=9)
    return style.finish(figure)
