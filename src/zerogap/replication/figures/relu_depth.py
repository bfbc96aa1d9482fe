"""Scaled optima D₁ of two to five layers on the same data: where depth helps, where it stops."""

from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from zerogap.replication.figures import style
from zerogap.replication.tables.frames import read

CAPTION = (
    "Optimal values of two to five layers on the same data sets, where they are proved: a row "
    "for every data set on which depth helps. Marks inside one another: the deeper optimum is "
    "the same."
)
ALT = (
    "A dot plot. Each row is a data set, its dots the optimal values of three, four and five "
    "layers as a share of that of two layers, smaller where depth helps more."
)
TABLES = ("details.csv",)
CLAIMS = ("two-layer", "relu-parallel-3", "relu-parallel")

SETTINGS = ("two-layer-relu", "relu-parallel-3", "relu-parallel")

# Relative: values that differ by less are the same, to what brackets are closed to.
_SAME = 1e-6
# Larger and hollow by depth, so that equal values are seen inside one another.
_MARKERS = {3: ("o", 16), 4: ("D", 62), 5: ("s", 150)}


def ratios(details: pd.DataFrame) -> pd.DataFrame:
    """D₁(L)/D₁(2) of every data set solved at L = 2 and deeper: data by depth, holes where not."""
    cell = details[
        details["setting"].isin(SETTINGS)
        & (details["architecture"] == "parallel")
        & details["data"].str.startswith("gaussian")
        & details["beta"].isna()
        # Where the bracket is open the dual bound says nothing of how far the value falls.
        & (details["proved_verdict"] == "zero")
    ].copy()
    cell["scaled"] = cell["dual"] * 2 / cell["depth"]
    wide = cell.pivot_table(index="data", columns="depth", values="scaled").dropna(thresh=2)
    if 2 not in wide or wide.shape[1] < 2:
        return pd.DataFrame()
    return wide.div(wide[2], axis=0).dropna(subset=[2])


def title(ratio: pd.DataFrame) -> str:
    """On how many data sets depth helps, and whether it does beyond three layers."""
    if 3 not in ratio:
        return ""
    known = ratio[ratio[3].notna()]
    helps = int((known[3] < 1 - _SAME).sum())
    said = [f"Three layers win over two on {helps} of {len(known)} data sets"]
    deeper = known[[c for c in known.columns.astype(int) if c > 3]].min(axis=1).dropna()
    if len(deeper):
        further = int((known.loc[deeper.index, 3] - deeper > _SAME).sum())
        said.append(f"more win over three on {further} of {len(deeper)}")
    return "; ".join(said)


def draw(tables: Path) -> Figure:
    """D₁(L) over D₁(2): one row per data set below 1, and one for all others."""
    ratio = ratios(read(tables, "details.csv"))
    if ratio.empty:
        figure, axes = style.panels(height=2.4)
        style.missing(axes, "the same data at several depths")
        return style.finish(figure)
    flat = ratio[(ratio >= 1 - _SAME).where(ratio.notna(), True).all(axis=1)]
    below = ratio.drop(flat.index)
    below = below.loc[below.min(axis=1).sort_values(ascending=False).index]
    figure, axes = style.panels(height=1.2 + 0.18 * len(below))
    labels = []
    if len(flat):
        other = "other " if len(below) else ""
        labels.append(f"{len(flat)} {other}data set{'s' if len(flat) > 1 else ''}")
        _marks(axes, 0, flat.max())
    for name, row in below.iterrows():
        size = str(name).removeprefix("gaussian-").replace("-k1", "").split("-")
        labels.append(f"$n={size[0][1:]},\\ d={size[1][1:]}$, no. {int(size[2]) + 1}")
        axes.plot([row.min(), 1], [len(labels) - 1] * 2, color="0.8", lw=1, zorder=1)
        _marks(axes, len(labels) - 1, row)
    least = min([0.95, *(below.min(axis=1) - 0.03)])
    axes.axvline(1, color=style.BOUND, ls=":", lw=1)
    axes.set_yticks(range(len(labels)), labels)
    axes.set(xlabel=r"optimum relative to two layers, $D_1(L)\,/\,D_1(2)$", xlim=(least, 1.03))
    axes.margins(y=0.8 / (len(labels) + 1))
    for depth in (L for L in map(int, ratio.columns) if L > 2):
        axes.scatter([], [], label=f"$L={depth}$", **_mark(depth))
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), labelspacing=1.1)
    return style.finish(figure, title(ratio))


def _mark(depth: int) -> dict[str, Any]:
    marker, size = _MARKERS.get(depth, ("h", 220))
    colour = style.PALETTE[depth - 3]
    fill = colour if depth == 3 else "none"
    return {"marker": marker, "s": size, "facecolors": fill, "edgecolors": [colour], "zorder": 3}


def _marks(axes: Axes, place: int, row: pd.Series) -> None:
    row = row.dropna()
    for depth, value in zip(map(int, row.index), row, strict=True):
        if depth > 2:
            axes.scatter([value], [place], clip_on=False, **_mark(depth))
