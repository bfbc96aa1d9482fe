"""Table 1 as a heat map of measured worst relative gaps, with the paper's entries beside them."""

from pathlib import Path

import numpy as np
import seaborn as sns
from matplotlib.figure import Figure

from zerogap.replication.figures import style
from zerogap.replication.tables.frames import TABLE1_COLUMNS, read

CAPTION = (
    "The paper's Table 1, measured: the worst relative duality gap of every cell, with the "
    "paper's entry."
)
TABLES = ("table1.csv",)

FLOOR = 1e-12


def draw(tables: Path) -> Figure:
    """Rows: architecture × activation; columns: depth; colour: log₁₀ of the worst relative gap."""
    frame = read(tables, "table1.csv").astype({"depth": str})
    rows = list(dict.fromkeys(zip(frame["architecture"], frame["activation"], strict=True)))
    gaps = np.full((len(rows), 3), np.nan)
    texts = np.full((len(rows), 3), "", dtype=object)
    for record in frame.to_dict("records"):
        i = rows.index((record["architecture"], record["activation"]))
        j = TABLE1_COLUMNS.index(record["depth"])
        if record["instances"]:
            gaps[i, j] = np.log10(max(record["worst_relative_gap"], FLOOR))
        texts[i, j] = (
            f"ours: {record['ours']}\npaper: {record['paper']}\n"
            f"{record['certified']} of {record['instances']} certified"
        )
    figure, axes = style.panels(width=9.5, height=5.2)
    if frame.empty:
        style.missing(axes, "Table 1")
        return figure
    sns.heatmap(
        gaps,
        annot=texts,
        fmt="",
        cmap="cividis_r",
        vmin=np.log10(FLOOR),
        vmax=0,
        linewidths=2,
        annot_kws={"fontsize": 10},
        cbar_kws={"label": r"$\log_{10}$ of the worst relative gap $(P-D)/P$"},
        ax=axes,
    )
    axes.set_xticklabels(["$L=2$", "$L=3$", "$L>3$"])
    names = {"relu": "ReLU", "linear": "linear"}
    axes.set_yticklabels([f"{a}\n{names[b]}" for a, b in rows], rotation=0)
    axes.set_title(
        "Parallel networks close the gap; standard ones of depth three do so on condition"
    )
    axes.tick_params(length=0)
    return figure
