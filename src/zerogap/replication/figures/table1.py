"""Table 1 as a heat map of measured worst relative gaps, with the paper's entries beside them."""

from pathlib import Path

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.typing import ColorType

from zerogap.replication.figures import style
from zerogap.replication.tables.frames import TABLE1_COLUMNS, read

CAPTION = (
    "The paper's Table 1, measured: the worst relative duality gap of every cell, with the "
    "paper's entry. Where a gap is positive its size is that of the best network found."
)
TABLES = ("table1.csv",)

FLOOR = 1e-12


def luminance(colour: ColorType) -> float:
    """Relative luminance as the guidelines on contrast (WCAG) define it, from 0 to 1."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return float(np.dot((0.2126, 0.7152, 0.0722), linear))


def contrast(one: ColorType, other: ColorType) -> float:
    """The ratio of two colours' luminances, from 1 to 21; text needs at least 4.5."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def ink(background: ColorType) -> str:
    """Black or white, whichever is read better on a background."""
    return max(("black", "white"), key=lambda text: contrast(text, background))


def title(frame: pd.DataFrame) -> str:
    """How many gaps of three and more layers are zero or positive, by architecture."""
    deep = frame[frame["depth"] != "2"].groupby("architecture")[["zero", "positive", "instances"]]
    counts = deep.sum()
    said = []
    for architecture, verdict in (("parallel", "zero"), ("standard", "positive")):
        if architecture in counts.index and counts.loc[architecture, "instances"]:
            row = counts.loc[architecture]
            said.append(f"{architecture} {row[verdict]:g} of {row['instances']:g} {verdict}")
    return f"Gaps from three layers on: {', '.join(said)}" if said else ""


def draw(tables: Path) -> Figure:
    """Rows: architecture × activation; columns: depth; colour: log₁₀ of the worst relative gap."""
    frame = read(tables, "table1.csv").astype({"depth": str})
    figure, axes = style.panels(height=3.3)
    if not frame["instances"].sum():
        style.missing(axes, "Table 1")
        return style.finish(figure)
    rows = list(dict.fromkeys(zip(frame["architecture"], frame["activation"], strict=True)))
    gaps = np.full((len(rows), 3), np.nan)
    texts = np.full((len(rows), 3), "", dtype=object)
    for record in frame.to_dict("records"):
        i = rows.index((record["architecture"], record["activation"]))
        j = TABLE1_COLUMNS.index(record["depth"])
        texts[i, j] = f"ours: {record['ours']}\npaper: {record['paper']}"
        if record["instances"]:
            gaps[i, j] = np.log10(max(record["worst_relative_gap"], FLOOR))
            texts[i, j] += f"\n{record['certified']} of {record['instances']} certified"
    sns.heatmap(
        gaps,
        cmap="cividis_r",
        vmin=np.log10(FLOOR),
        vmax=0,
        linewidths=2,
        cbar_kws={"label": r"$\log_{10}$ of the worst $(P-D)/P$", "fraction": 0.05, "pad": 0.02},
        ax=axes,
    )
    mesh = axes.collections[0]
    colours = mesh.cmap(mesh.norm(gaps))
    for (i, j), text in np.ndenumerate(texts):
        shade = "white" if np.isnan(gaps[i, j]) else colours[i, j][:3]
        axes.text(j + 0.5, i + 0.5, text, ha="center", va="center", fontsize=8, color=ink(shade))
    axes.set_xticklabels(["$L=2$", "$L=3$", "$L>3$"])
    names = {"relu": "ReLU", "linear": "linear"}
    axes.set_yticklabels([f"{a}\n{names[b]}" for a, b in rows], rotation=0)
    axes.tick_params(length=0)
    style.finish(figure, title(frame))
    sns.despine(ax=axes, left=True, bottom=True)
    return figure
