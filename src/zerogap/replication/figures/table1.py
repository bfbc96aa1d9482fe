"""Table 1 as a heat map: what was proved in every cell, under the paper's own entry."""

from pathlib import Path
from textwrap import fill
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from matplotlib.typing import ColorType

from zerogap.replication.figures import style
from zerogap.replication.tables.frames import TABLE1_COLUMNS, read

CAPTION = (
    "The paper's Table 1, measured: in white the paper's entry, below it what was proved. Pale: "
    "all gaps are zero. Blue: there are positive gaps, the darker the wider the widest (of the "
    "best network found). Hatched: some problems are open and no gap is proved."
)
ALT = (
    "A table of four rows, standard and parallel networks, linear and ReLU, and three columns, "
    "two, three and more layers. Each cell has the paper's entry and how many gaps were proved "
    "zero or positive, with the condition found."
)
TABLES = ("table1.csv",)

# Far apart in luminance, so that they stay apart in grey and for every kind of colour vision.
PALE, UNDECIDED = "#fdf3cf", "#c4c4c4"
BLUES = LinearSegmentedColormap.from_list("gaps", ["#7fb0dc", "#08306b"])


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


def shade(cell: pd.Series) -> ColorType:
    """The colour of a cell's message: a gap is proved, all are zero, or neither."""
    if not cell["instances"]:
        return "white"
    if cell["positive"]:
        return BLUES(cell["worst_relative_gap"])
    return UNDECIDED if cell["open"] else PALE


def message(cell: pd.Series) -> tuple[str, str]:
    """What a cell says, and what stands under it in small: counts, widest gap, condition."""
    if not cell["instances"]:
        return "not run", ""
    kinds = [kind for kind in ("zero", "positive", "open") if cell[kind]]
    worst = cell["worst_relative_gap"]
    if cell["positive"]:
        said, size = "gap", f", up to {worst:.0%} of P"
    else:
        # Rounded up to one digit: a gap is no wider than this.
        unit = 10 ** np.floor(np.log10(max(worst, 1e-16)))
        said = "no gap where decided" if cell["open"] else "no gap"
        size = f", at most {np.ceil(worst / unit) * unit:.0e}"
    counts = ", ".join(f"{cell[kind]} {kind}" for kind in kinds)
    every = "all " if len(kinds) == 1 and cell["instances"] > 1 else ""
    small = every + counts + size
    lost = cell["instances"] - cell["certified"]
    lines = [small, f"{lost} not certified" if lost else ""]
    if not pd.isna(cell["condition"]):
        lines.append(fill(cell["condition"], 38))
    return said, "\n".join(filter(None, lines))


def draw(tables: Path) -> Figure:
    """Rows: architecture × activation; columns: depth. Above each cell the paper's entry."""
    frame = read(tables, "table1.csv").astype({"depth": str})
    figure, axes = style.panels(height=4.5)
    if not frame["instances"].sum():
        style.missing(axes, "Table 1")
        return style.finish(figure)
    rows = list(dict.fromkeys(zip(frame["architecture"], frame["activation"], strict=True)))
    for _, cell in frame.iterrows():
        i = rows.index((cell["architecture"], cell["activation"]))
        j = TABLE1_COLUMNS.index(cell["depth"])
        colour, (said, small) = shade(cell), message(cell)
        hatch = "////" if cell["open"] and not cell["positive"] else None
        inside: dict[str, Any] = {"ha": "center", "va": "top", "color": ink(colour)}
        if hatch:  # which no letter should cross
            inside["bbox"] = {"facecolor": colour, "edgecolor": "none", "pad": 1}
        top = i + 0.51 - 0.053 * (small.count("\n") + bool(small))
        axes.add_patch(
            Rectangle((j + 0.02, i + 0.24), 0.96, 0.7, facecolor=colour, edgecolor="white",
                      hatch=hatch, linewidth=0)
        )  # fmt: skip
        axes.add_patch(
            Rectangle((j + 0.02, i + 0.03), 0.96, 0.91, facecolor="none", edgecolor="0.25", lw=0.8)
        )
        axes.text(
            j + 0.06, i + 0.135, f"paper: {cell['paper']}", va="center", style="italic", fontsize=8
        )
        axes.text(j + 0.5, top, said, fontsize=9, weight="bold", **inside)
        axes.text(j + 0.5, top + 0.17, small, fontsize=7, linespacing=1.2, **inside)
    axes.set(xlim=(0, 3), ylim=(len(rows), 0))
    axes.set_xticks([0.5, 1.5, 2.5], ["$L=2$", "$L=3$", "$L>3$"])
    axes.xaxis.tick_top()
    names = {"relu": "ReLU", "linear": "linear"}
    axes.set_yticks(np.arange(len(rows)) + 0.5, [f"{a}\n{names[b]}" for a, b in rows])
    axes.tick_params(length=0)
    seen: dict[str, dict[str, Any]] = {
        "all gaps zero": {"facecolor": PALE},
        "open, none positive": {"facecolor": UNDECIDED, "hatch": "////", "linewidth": 0},
        **{f"gap of {size:.0%}": {"facecolor": BLUES(size)} for size in (0.1, 0.5, 0.9)},
    }
    patches = [Patch(label=label, **how) for label, how in seen.items()]
    figure.legend(handles=patches, loc="outside lower center", ncols=len(patches), handlelength=1.5)
    style.finish(figure, title(frame))
    sns.despine(ax=axes, left=True, bottom=True)
    return figure
