"""One look for all figures: readable in print and on a slide, safe for colour-blind readers."""

from textwrap import fill

import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

PALETTE = sns.color_palette("colorblind")
ZERO, POSITIVE, BOUND = PALETTE[2], PALETTE[3], "0.35"

# The paper prints a figure of this width (inches) at its own size, so fonts are what they say.
WIDTH = 6.3


def panels(columns: int = 1, rows: int = 1, height: float = 2.5) -> tuple:
    """A figure as wide as the paper's text, and its axes (an array for more than one panel)."""
    sns.set_theme(
        context="paper",
        style="ticks",
        palette="colorblind",
        rc={
            "savefig.dpi": 220,
            "pdf.fonttype": 42,
            "font.size": 9,
            "axes.titlesize": 9,
            "axes.labelsize": 9,
            "xtick.labelsize": 8,
            "ytick.labelsize": 8,
            "legend.fontsize": 8,
            "legend.frameon": False,
            "figure.titlesize": 10,
        },
    )
    # Not by pyplot, which would keep every figure.
    figure = Figure(figsize=(WIDTH, height * rows), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(rows, columns)


def finish(figure: Figure, title: str = "") -> Figure:
    """Last touches common to all figures; no conclusion stands over panels that are all missing."""
    if title and any(axes.axison for axes in figure.axes):
        figure.suptitle(fill(title, 84))
    for axes in figure.axes:
        sns.despine(ax=axes)
    return figure


def missing(axes: Axes | list[Axes], what: str) -> None:
    """Say on a panel, or on several, that a run did not include what it shows."""
    for one in [axes] if isinstance(axes, Axes) else axes:
        one.set_axis_off()
        one.text(0.5, 0.5, f"{what}:\nnot in this run", ha="center", va="center", color="0.4")
