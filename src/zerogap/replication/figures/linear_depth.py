"""Gap against depth for standard linear networks: theory's curve, trained points, dual bound."""

from pathlib import Path

import numpy as np
import seaborn as sns
from matplotlib.figure import Figure

from zerogap.replication.figures import style
from zerogap.replication.tables.frames import read

CAPTION = (
    "Gap against depth for standard linear networks: the closed form, trained networks and "
    "the dual bound."
)
TABLES = ("details.csv",)


def draw(tables: Path) -> Figure:
    """Relative gap against L, one curve per rank; left distinct, right equal singular values."""
    details = read(tables, "details.csv")
    cell = details[(details["setting"] == "linear-standard") & (details["shape"] == "over")]
    figure, both = style.panels(2)
    for axes, spectrum in zip(both, ("distinct", "equal"), strict=True):
        chosen = cell[cell["spectrum"] == spectrum].copy()
        if chosen.empty:
            style.missing(axes, f"{spectrum} singular values")
            continue
        chosen["rank"] = chosen["singular_values_data"].map(lambda text: len(text.split(",")))
        chosen["exact"] = 1 - chosen["dual"] / chosen["primal"]
        chosen["found"] = 1 - chosen["dual"] / chosen["trained"]
        colours = dict(
            zip(sorted(chosen["rank"].unique()), sns.color_palette("viridis", 4), strict=False)
        )
        for rank, path in chosen.groupby("rank"):
            path = path.sort_values("depth")
            colour = colours[rank]
            axes.plot(path["depth"], path["exact"], color=colour, label=f"theory, rank {rank}")
            good = path[path["trained"] <= path["primal"] * 1.02]
            axes.scatter(good["depth"], good["found"], color=colour, s=36, zorder=3)
        axes.scatter([], [], color="0.3", s=36, label="best trained")
        axes.axhline(0, color=style.BOUND, lw=1, ls=":")
        axes.set(xlabel="depth $L$", ylabel=r"relative gap $(P-D)/P$", ylim=(-0.03, 0.8))
        axes.set_xticks(np.arange(2, 7))
        axes.set_title(f"{spectrum} singular values")
        axes.legend(frameon=False, fontsize=9, loc="upper left")
    figure.suptitle(
        "Standard linear networks: no gap at rank one, a growing gap at rank two or more"
    )
    return style.finish(figure)
