"""Time and memory against samples and cells, log-log, from the tables of the benchmarks.

    python -m benchmarks.figure FOLDER

Reads solvers.csv and scaling.csv in the folder and writes cost.png and cost.pdf beside them.
"""

import argparse
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from zerogap.model.files import replacing
from zerogap.replication.figures.style import PALETTE, finish, panels

_WHOLE = {
    "clarabel": ("whole program, d = 3, Clarabel", "s"),
    "scs": ("whole program, d = 3, SCS", "D"),
}


def draw(scaling: pd.DataFrame, solvers: pd.DataFrame) -> Figure:
    """Seconds and megabytes (rows) against N and against the number of cells (columns)."""
    figure, axes = panels(2, 2, height=2.2)
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
    figure.legend(handles, labels, loc="outside upper center", ncols=2)
    return finish(figure)


def main() -> None:
    """Draw the figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    figure = draw(pd.read_csv(folder / "scaling.csv"), pd.read_csv(folder / "solvers.csv"))
    for suffix in (".png", ".pdf"):
        with replacing(folder / f"cost{suffix}") as temporary:
            figure.savefig(temporary)


if __name__ == "__main__":
    main()
