"""What it costs and how far one gets, drawn from the tables of the benchmarks.

    python -m benchmarks.figure FOLDER

Reads solvers.csv and scaling.csv in the folder and writes cost.png and cost.pdf beside them: time
and memory against samples and cells. From reach.csv, reach.png and reach.pdf: the relative width of
the bracket against seconds.
"""

import argparse
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from benchmarks.reach import AFTER
from zerogap.model.files import replacing
from zerogap.replication.figures.style import PALETTE, finish, panels

_WHOLE = {
    "clarabel": ("whole program, d = 3, Clarabel", "s"),
    "scs": ("whole program, d = 3, SCS", "D"),
}
# A line for each of ten data sets; narrower brackets than this are drawn here.
_COLOURS, _MARKERS, _FLOOR = [*PALETTE, "0.3"], "os^Dv<>Pp*X", 1e-7


def draw(scaling: pd.DataFrame, solvers: pd.DataFrame) -> Figure:
    """Seconds and megabytes (rows) against N and against the number of cells (columns)."""
    figure, axes = panels(2, 2, height=1.9)
    scaling = scaling[scaling["reason"].isna()]
    whole = solvers[(solvers["case"] == "interpolation") & solvers["reason"].isna()]
    for row, (quantity, unit) in enumerate((("seconds", "time (s)"), ("megabytes", "memory (MB)"))):
        for column, (size, label) in enumerate((("n", "samples N"), ("cells", "cells"))):
            axis = axes[row, column]
            for colour, (d, own) in zip(PALETTE, scaling.groupby("d"), strict=False):
                axis.plot(own[size], own[quantity], "o-", color=colour, label=f"columns, d = {d}")
            for method, (name, marker) in _WHOLE.items():
                own = whole[whole["method"] == method]
                axis.plot(own[size], own[quantity], marker + "--", color="0.35", label=name)
            axis.set(xscale="log", yscale="log", xlabel=label, ylabel=unit)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3)
    return finish(figure)


def draw_reach(reach: pd.DataFrame) -> Figure:
    """Width against seconds, a panel for each share of the beta at which the optimum is zero."""
    figure, axes = panels(2, height=2.9)
    largest = reach.loc[reach.groupby(["data", "share"], sort=False)["n"].idxmax()]
    for axis, (share, cases) in zip(axes, largest.groupby("share", sort=False), strict=True):
        for (_, case), colour, marker in zip(cases.iterrows(), _COLOURS, _MARKERS, strict=False):
            after = {s: case[f"after_{s}"] for s in AFTER if s < case["seconds"]}
            points = pd.Series({**after, case["seconds"]: case["width"]}).clip(lower=_FLOOR)
            points = points[points < 1]
            label = f"{case['data']}, {case['n']}×{case['d']}→{case['k']}"
            axis.plot(points.index, points, marker, color=colour, ls="-", ms=3.5, label=label)
        axis.set(xscale="log", yscale="log", xlabel="seconds", ylim=(_FLOOR / 3, 1.5))
        axis.set_title(rf"$\beta$ = {share:g} $\beta_{{max}}$")
    axes[0].set_ylabel("relative width of the bracket")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3)
    return finish(figure)


def main() -> None:
    """Draw the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    cost = draw(pd.read_csv(folder / "scaling.csv"), pd.read_csv(folder / "solvers.csv"))
    for name, figure in (("cost", cost), ("reach", draw_reach(pd.read_csv(folder / "reach.csv")))):
        for suffix in (".png", ".pdf"):
            with replacing(folder / f"{name}{suffix}") as temporary:
                figure.savefig(temporary)


if __name__ == "__main__":
    main()
