"""Training curves descending onto the dual bound, standard beside parallel."""

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from zerogap.replication.figures import style
from zerogap.replication.tables.frames import read

CAPTION = (
    "Training runs step by step, as the distance above the dual bound: without a gap they "
    "descend onto it by many orders of magnitude, with a gap they stop at the proved optimum."
)
ALT = (
    "Four panels with a logarithmic axis of steps. The distance of the objective above the dual "
    "bound falls with the steps: in the two panels of parallel networks towards zero, in the two "
    "of standard networks onto a dashed line that is proved to be the least. A band shows the "
    "spread of the restarts."
)
TABLES = ("details.csv", "curves.csv")

# (setting, start of the instance's name): the first match of a run is drawn.
SHOWN = (
    ("linear-standard", "over-r3-distinct-0-L3", "standard linear, $L=3$, rank 3"),
    ("linear-parallel", "over-r3-distinct-0-L3", "parallel linear, $L=3$, rank 3"),
    ("relu-standard-rank-one", "opposed-0-L3", "standard ReLU, $L=3$, rank-one X"),
    ("relu-parallel-special", "rank-one-k1-0-L3", "parallel ReLU, $L=3$, rank-one X"),
)

# Training has reached a value if it is no further above, relative.
_REACHED = 1e-3
# Relative distances below this are rounding.
_FLOOR = 1e-10


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
    """1 − D over the best objective so far, from the first step on; the proved gap where one is.

    On a logarithmic axis where it falls to nothing, on one from D on where it does not. Shaded:
    from the best restart to three quarters of them, a line for half of them, as long as all go on.
    """
    details, curves = read(tables, "details.csv"), read(tables, "curves.csv")
    figure, axes = style.panels(2, 2, height=1.8)
    drawn, seen = [], {}
    for one, (setting, start, heading) in zip(axes.flat, SHOWN, strict=True):
        own = details[(details["setting"] == setting) & details["instance"].str.startswith(start)]
        if own.empty:
            style.missing(one, heading)
            continue
        record = own.iloc[0]
        drawn.append(record)
        curve = curves[(curves["setting"] == setting) & (curves["instance"] == record["instance"])]
        curve = curve[curve["step"] >= 1]
        steps = curve["step"]
        best, half, most = (
            (1 - record["dual"] / curve[name]).clip(lower=_FLOOR)
            for name in ("value", "median", "upper")
        )
        seen["best restart"] = one.plot(steps, best, marker="o", ms=2.5)[0]
        seen["half of them"] = one.plot(steps, half, color=style.PALETTE[1], lw=1.2)[0]
        # Where fewer than three quarters interpolate the band ends at half of them.
        seen["three quarters"] = one.fill_between(
            steps, best, most.fillna(half), color=style.PALETTE[0], alpha=0.18, lw=0
        )
        if record["proved_verdict"] == "positive":
            least = 1 - record["dual_upper"] / record["primal_lower"]
            seen["proved: no lower"] = one.axhline(least, color=style.POSITIVE, ls="--")
            one.set_ylim(0, 1)
        else:
            one.set(yscale="log")
            one.yaxis.set_minor_locator(NullLocator())
            one.yaxis.set_major_locator(LogLocator(numticks=6))
        one.set(title=heading, xscale="log")
        one.xaxis.set_minor_locator(NullLocator())
    for one in axes[:, 0]:
        one.set_ylabel("above $D$, relative")
    for one in axes[-1]:
        one.set_xlabel("step")
    if seen:
        figure.legend(seen.values(), seen.keys(), loc="outside lower center", ncols=len(seen))
    return style.finish(figure, title(pd.DataFrame(drawn)) if drawn else "")
