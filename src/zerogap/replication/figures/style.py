"""One look for all figures: readable in print and on a slide, safe for colour-blind readers."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

PALETTE = sns.color_palette("colorblind")
ZERO, POSITIVE, BOUND = PALETTE[2], PALETTE[3], "0.35"


def panels(columns: int = 1, rows: int = 1, width: float = 5.2, height: float = 4.0) -> tuple:
    """A figure and its axes (an array for more than one panel)."""
    sns.set_theme(
        context="notebook",
        style="ticks",
        palette="colorblind",
        rc={"savefig.dpi": 180, "pdf.fonttype": 42, "axes.titlesize": 12, "font.size": 11},
    )
    return plt.subplots(
        rows, columns, figsize=(width * columns, height * rows), layout="constrained"
    )


def finish(figure: Figure) -> Figure:
    """Last touches common to all figures."""
    for axes in figure.axes:
        sns.despine(ax=axes)
    return figure


def missing(axes: Axes | list[Axes], what: str) -> None:
    """Say on a panel, or on several, that a run did not include what it shows."""
    for one in [axes] if isinstance(axes, Axes) else axes:
        one.set_axis_off()
        one.text(0.5, 0.5, f"{what}:\nnot in this run", ha="center", va="center", color="0.4")
