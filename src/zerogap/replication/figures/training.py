"""Training curves descending onto the dual bound, standard beside parallel."""

from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from zerogap.replication.figures import style
from zerogap.replication.tables.frames import read

CAPTION = (
    "Training runs descending onto the dual bound, or stopping above it where a gap is proved."
)
TABLES = ("details.csv", "curves.csv")

# (setting, start of the instance's name): the first match of a run is drawn.
SHOWN = (
    ("linear-standard", "over-r3-distinct-0-L3", "standard linear, $L=3$, rank 3"),
    ("linear-parallel", "over-r3-distinct-0-L3", "parallel linear, $L=3$, rank 3"),
    ("relu-standard-rank-one", "opposed-0-L3", "standard ReLU, $L=3$, rank-one X"),
    ("relu-parallel-special", "rank-one-k1-0-L3", "parallel ReLU, $L=3$, rank-one X"),
)


def draw(tables: Path) -> Figure:
    """Best objective so far against steps; the dual bound; the proved optimum where one is."""
    details, curves = read(tables, "details.csv"), read(tables, "curves.csv")
    figure, axes = style.panels(4, width=3.8, height=3.8)
    for one, (setting, start, title) in zip(axes, SHOWN, strict=True):
        own = details[(details["setting"] == setting) & details["instance"].str.startswith(start)]
        if own.empty:
            style.missing(one, title)
            continue
        record = own.iloc[0]
        curve = curves[(curves["setting"] == setting) & (curves["instance"] == record["instance"])]
        one.plot(curve["step"], curve["value"], label="best of all restarts")
        one.axhline(record["dual"], color=style.BOUND, ls=":", label="dual bound $D$")
        if record["proved_verdict"] == "positive":
            one.axhline(
                record["primal_lower"], color=style.POSITIVE, ls="--", label="proved: no lower"
            )
        one.set(xscale="log", yscale="log", xlabel="step", title=title, xlim=(10, None))
        one.xaxis.set_minor_formatter(NullFormatter())
        one.legend(frameon=False, fontsize=8)
    axes[0].set_ylabel("objective")
    figure.suptitle(
        "Parallel networks reach the dual bound; standard ones stop where the gap is proved"
    )
    return style.finish(figure)
