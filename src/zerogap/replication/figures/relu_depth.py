"""Scaled optima D₁ of two to five layers on the same data: where depth helps, where it stops."""

from pathlib import Path

import seaborn as sns
from matplotlib.figure import Figure

from zerogap.replication.figures import style
from zerogap.replication.tables.frames import read

CAPTION = (
    "Optimal values of two to five layers on the same data sets: where depth helps and where "
    "it stops."
)
TABLES = ("details.csv",)

SETTINGS = ("two-layer-relu", "relu-parallel-3", "relu-parallel")


def draw(tables: Path) -> Figure:
    """One line per data set: D₁(L) over D₁(2), from certified dual values of parallel networks."""
    details = read(tables, "details.csv")
    cell = details[
        details["setting"].isin(SETTINGS)
        & (details["architecture"] == "parallel")
        & details["data"].str.startswith("gaussian")
        & details["beta"].isna()
    ].copy()
    cell["scaled"] = cell["dual"] * 2 / cell["depth"]
    wide = cell.pivot_table(index="data", columns="depth", values="scaled")
    wide = wide.dropna(thresh=2)
    figure, axes = style.panels(width=7.2, height=4.6)
    if 2 not in wide or wide.shape[1] < 2:
        style.missing(axes, "the same data at several depths")
        return figure
    wide = wide.sort_values(wide.columns[1])
    ratio = wide.div(wide[2], axis=0).dropna(subset=[2])
    for colour, (name, row) in zip(
        sns.color_palette("husl", len(ratio)), ratio.iterrows(), strict=True
    ):
        row = row.dropna()
        size = str(name).removeprefix("gaussian-").replace("-k1", "").split("-")
        label = f"$n={size[0][1:]},\\ d={size[1][1:]}$"
        axes.plot(row.index, row, color=colour, marker="o", ms=4, lw=1.4, label=label)
    axes.set(xlabel="depth $L$", ylabel=r"$D_1(L)\,/\,D_1(2)$", ylim=(0, 1.08))
    axes.set_xticks(list(ratio.columns))
    deeper = [c for c in ratio.columns if int(c) > 3]
    further = 3 in ratio and any((ratio[3] - ratio[c] > 1e-6).any() for c in deeper)
    end = "on some data sets the bound falls further" if further else "here it stops there"
    axes.set_title(f"Depth helps from two layers to three; {end}")
    axes.legend(frameon=False, fontsize=8, ncols=1, loc="center left", bbox_to_anchor=(1, 0.5))
    return style.finish(figure)
