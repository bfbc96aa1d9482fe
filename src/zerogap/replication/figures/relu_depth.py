"""Scaled optima D₁ of two to five layers on the same data: where depth helps, where it stops."""

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from zerogap.replication.figures import style
from zerogap.replication.tables.frames import read

CAPTION = (
    "Optimal values of two to five layers on the same data sets: where depth helps and where "
    "it stops."
)
TABLES = ("details.csv",)

SETTINGS = ("two-layer-relu", "relu-parallel-3", "relu-parallel")

# Relative: values that differ by less are the same, to what brackets are closed to.
_SAME = 1e-6
_MARKERS = "osD^vP*X"


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
    """One line per data set below 1, one grey line for all others: D₁(L) over D₁(2)."""
    ratio = ratios(read(tables, "details.csv"))
    figure, axes = style.panels(height=2.4)
    if ratio.empty:
        style.missing(axes, "the same data at several depths")
        return style.finish(figure)
    flat = ratio[(ratio >= 1 - _SAME).where(ratio.notna(), True).all(axis=1)]
    if len(flat):
        label = f"{len(flat)} data set{'s' if len(flat) > 1 else ''} at 1"
        depths = [c for c in ratio if flat[c].notna().any()]
        axes.plot(depths, [1.0] * len(depths), color="0.6", marker="o", ms=3, label=label)
    below = ratio.drop(flat.index)
    below = below.loc[below.min(axis=1).sort_values(ascending=False).index]
    for i, (name, row) in enumerate(below.iterrows()):
        row = row.dropna()
        size = str(name).removeprefix("gaussian-").replace("-k1", "").split("-")
        colour, marker = style.PALETTE[i % len(style.PALETTE)], _MARKERS[i % len(_MARKERS)]
        label = f"$n={size[0][1:]},\\ d={size[1][1:]}$, no. {int(size[2]) + 1}"
        axes.plot(row.index, row, color=colour, marker=marker, ms=4, label=label)
    axes.set(xlabel="depth $L$", ylabel=r"$D_1(L)\,/\,D_1(2)$", ylim=(0, 1.08))
    axes.set_xticks(list(ratio.columns))
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return style.finish(figure, title(ratio))
