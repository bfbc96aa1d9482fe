"""Rank-one data, three-layer standard ReLU: where the gap is zero and where it is not."""

from pathlib import Path

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from zerogap.replication.figures import style
from zerogap.replication.tables.frames import read
from zerogap.theory.rank_one import RankOne

CAPTION = (
    "Three-layer standard ReLU networks on rank-one data: where the gap is zero and where it is "
    "not. It is zero only on the left edge, where the targets of both signs point the same way, "
    "and constant from a right angle on."
)
ALT = (
    "Left, a map of the relative gap over the angle between the targets of the two signs and the "
    "ratio of their lengths: zero at angle zero, rising to a plateau at a right angle. Right, "
    "sections of it with the best trained networks on the lines."
)
TABLES = ("details.csv",)
CLAIMS = ("relu-standard-rank-one",)


def relative_gap(angle: float, ratio: float) -> float:
    """1 − D/P of the exact values at L = 3, with totals (3/2)(·)^{2/3}; angle in degrees."""
    turn = np.deg2rad(angle)
    minus = ratio * np.array([np.cos(turn), np.sin(turn)])
    data = RankOne(np.array([1.0, -1.0]), np.ones(1), np.array([1.0, 0.0]), minus)
    return 1 - (data.dual() / data.primal(3)) ** (2 / 3)


def title(points: pd.DataFrame) -> str:
    """What the proved verdicts say, if they say what Theorem 3 does."""
    verdicts = np.where(points["angle"] == 0, "zero", "positive")
    agrees = (points["proved_verdict"] == verdicts).all() and len(set(verdicts)) == 2
    said = "no gap when $y_+$ and $y_-$ point the same way, a gap otherwise"
    return f"Rank-one data: {said}" if agrees else "Rank-one data, three layers"


def draw(tables: Path) -> Figure:
    """Left: the exact surface over (ω, ‖y₋‖/‖y₊‖) with trained points; right: its sections."""
    details = read(tables, "details.csv")
    points = details[
        (details["setting"] == "relu-standard-rank-one")
        & (details["depth"] == 3)
        & (details["sides"] == "both")
        & details["trained"].notna()
    ].copy()
    figure, (left, right) = style.panels(2, height=2.6)
    if points.empty:
        style.missing([left, right], "rank-one data")
        return style.finish(figure)
    points["gap"] = 1 - points["dual"] / points["trained"]
    angles, ratios = np.linspace(0, 180, 73), np.linspace(0.02, 1.2, 49)
    surface = np.array([[relative_gap(a, r) for a in angles] for r in ratios])
    levels = np.linspace(0, 0.22, 12)
    filled = left.contourf(angles, ratios, surface, levels=levels, cmap="viridis")
    left.scatter(
        points["angle"], points["ratio"], c=points["gap"], vmin=0, vmax=0.22, cmap="viridis",
        edgecolors="white", s=34, linewidths=0.9, zorder=3, clip_on=False,
    )  # fmt: skip
    figure.colorbar(filled, ax=left, location="bottom", label=r"relative gap $(P-D)/P$", aspect=30)
    left.set(xlabel=r"angle $\omega$ between $y_+$ and $y_-$ (degrees)")
    left.set(ylabel=r"ratio $\|y_-\|/\|y_+\|$", xlim=(0, 180), ylim=(0.02, 1.2))
    left.set_title("exact surface, trained points on it")
    shown = sorted(pd.unique(points["ratio"].dropna()))
    for colour, ratio in zip(sns.color_palette("colorblind"), shown, strict=False):
        right.plot(angles, [relative_gap(a, ratio) for a in angles], color=colour)
        section = points[points["ratio"] == ratio]
        right.scatter(
            section["angle"], section["gap"], color=colour, s=22, zorder=3,
            label=rf"$\|y_-\|/\|y_+\| = {ratio:g}$",
        )  # fmt: skip
    right.axvline(90, color=style.BOUND, lw=1, ls=":")
    right.set(xlabel=r"angle $\omega$ (degrees)", ylabel=r"relative gap $(P-D)/P$")
    right.set_title("lines: theory; points: best trained")
    right.legend()
    left.set_yticks(shown)
    right.set_xticks(range(0, 181, 45))
    left.set_xticks(range(0, 181, 45))
    return style.finish(figure, title(points))
