"""Singular values and rank of regularised linear networks against β, by depth."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from zerogap.replication.figures import style
from zerogap.replication.tables.frames import read

CAPTION = (
    "Singular values and rank of regularised linear networks against the penalty β, by depth: "
    "two layers shrink singular values continuously, deeper ones drop them to zero at once."
)
ALT = (
    "Three panels against the penalty: singular values at two layers fall continuously to zero, "
    "at four layers they jump to it, and the rank falls in steps, by depth."
)
TABLES = ("details.csv",)
CLAIMS = ("low-rank",)


def draw(tables: Path) -> Figure:
    """Left: σ_i of the optimal map at L = 2 and L = 4; right: rank against β at every depth."""
    details = read(tables, "details.csv")
    cell = details[details["setting"] == "low-rank"]
    figure, axes = style.panels(3, height=2.4)
    if cell.empty:
        style.missing(axes, "low-rank path")
        return style.finish(figure)
    for one, depth in zip(axes[:2], (2, 4), strict=True):  # soft threshold beside a jump
        path = cell[cell["depth"] == depth].sort_values("beta")
        how = "soft threshold" if depth == 2 else "a jump to zero"
        if path.empty:
            style.missing(one, f"$L={depth}$")
            continue
        values = pd.DataFrame(path["singular_values"].map(json.loads).to_list()).to_numpy()
        for i in range(values.shape[1]):
            one.plot(path["beta"], values[:, i], marker="o", ms=3, label=rf"$\sigma_{i + 1}$")
        one.set(xscale="log", xlabel=r"$\beta$", title=f"$L={depth}$: {how}")
    axes[1].sharey(axes[0])
    axes[0].set_ylabel(r"singular values $\sigma_i(A)$")
    drawn = next((one for one in axes[:2] if one.axison), None)
    if drawn is not None:
        drawn.set_ylim(top=1.4 * drawn.get_ylim()[1])
        drawn.legend(ncols=2, loc="upper right")
    depths = sorted(cell["depth"].unique())
    for colour, depth in zip(sns.color_palette("viridis", len(depths)), depths, strict=True):
        path = cell[cell["depth"] == depth].sort_values("beta")
        axes[2].plot(
            path["beta"], path["rank_map"] + 0.03 * (depth - 4), color=colour, marker="o", ms=3,
            label=f"$L={depth}$",
        )  # fmt: skip
    axes[2].set(xscale="log", xlabel=r"$\beta$", ylabel=r"rank of $A$")
    axes[2].set_yticks(np.arange(0, 5))
    ranks = cell.pivot_table(index=["data", "beta"], columns="depth", values="rank_map")
    falls = len(depths) > 1 and (np.diff(ranks.dropna().to_numpy(), axis=1) <= 0).all()
    axes[2].set_title("deeper drops rank first" if falls else r"rank against $\beta$")
    axes[2].legend(loc="lower left")
    return style.finish(figure)
