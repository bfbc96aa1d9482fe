"""Training curves descending onto the dual bound, standard beside parallel."""

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from zerogap.replication.figures import style
from zerogap.replication.tables.frames import read

CAPTION = (
    "Training runs descending onto the dual bound, or stopping above it where a gap is proved."
)
TABLES = ("details.csv", "curves.csv", "training.csv")

# (setting, start of the instance's name): the first match of a run is drawn.
SHOWN = (
    ("linear-standard", "over-r3-distinct-0-L3", "standard linear, $L=3$, rank 3"),
    ("linear-parallel", "over-r3-distinct-0-L3", "parallel linear, $L=3$, rank 3"),
    ("relu-standard-rank-one", "opposed-0-L3", "standard ReLU, $L=3$, rank-one X"),
    ("relu-parallel-special", "rank-one-k1-0-L3", "parallel ReLU, $L=3$, rank-one X"),
)

# Training has reached a value if it is no further above, relative.
_REACHED = 1e-3
_STEPS = (0, 10, 100, 1000, 10000)


def title(drawn: pd.DataFrame) -> str:
    """What the drawn problems did, by their proved verdicts."""
    zero = drawn[drawn["proved_verdict"] == "zero"]
    positive = drawn[drawn["proved_verdict"] == "positive"]
    reached = int((zero["trained"] <= zero["dual"] * (1 + _REACHED)).sum())
    said = []
    if len(zero):
        said.append(f"on the dual bound on {reached} of {len(zero)} without a gap")
    if len(positive):
        said.append(f"above it on {len(positive)} with one")
    return f"Training ends {', '.join(said)}" if said else ""


def draw(tables: Path) -> Figure:
    """Best objective so far against steps; the dual bound; the proved optimum where one is.

    Steps on a logarithmic scale that has room for step 0. At the right end the restarts' spread,
    from the best to the median.
    """
    details, curves = read(tables, "details.csv"), read(tables, "curves.csv")
    training = read(tables, "training.csv")
    figure, axes = style.panels(2, 2, height=2.3)
    drawn = []
    for one, (setting, start, heading) in zip(axes.flat, SHOWN, strict=True):
        own = details[(details["setting"] == setting) & details["instance"].str.startswith(start)]
        if own.empty:
            style.missing(one, heading)
            continue
        record = own.iloc[0]
        drawn.append(record)
        same = [
            frame[(frame["setting"] == setting) & (frame["instance"] == record["instance"])]
            for frame in (curves, training)
        ]
        curve, ends = same[0], same[1].iloc[0]
        one.plot(curve["step"], curve["value"], marker="o", ms=3, label="best of all restarts")
        last = float(curve["step"].max())
        one.plot(
            [last, last], [ends["best"], ends["median"]], color=style.PALETTE[1], marker="_",
            ms=8, lw=1.5, label=f"best to median of {ends['restarts']:g}",
        )  # fmt: skip
        one.axhline(record["dual"], color=style.BOUND, ls=":", label="dual bound $D$")
        if record["proved_verdict"] == "positive":
            one.axhline(
                record["primal_lower"], color=style.POSITIVE, ls="--", label="proved: no lower"
            )
        one.set_xscale("symlog", linthresh=10)
        one.set(title=heading, xlim=(-1, last * 1.6))
        one.xaxis.set_major_locator(FixedLocator([s for s in _STEPS if s <= last * 1.6]))
        one.xaxis.set_minor_locator(NullLocator())
        one.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        one.yaxis.set_major_locator(MaxNLocator(5))
        one.legend()
    for one in axes[:, 0]:
        one.set_ylabel("objective")
    for one in axes[-1]:
        one.set_xlabel("step")
    return style.finish(figure, title(pd.DataFrame(drawn)) if drawn else "")
