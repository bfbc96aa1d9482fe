"""What a run has to explore: every claim, then the studies, each with its problems as points."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from zerogap.replication.claims import CLAIMS
from zerogap.replication.claims.registry import OWN_DATA
from zerogap.replication.pages.certificates import Proof, Proofs
from zerogap.replication.tables import frames
from zerogap.replication.tables.frames import joined, read, scoreboard_of_run
from zerogap.theory.whitened import one_hot_orthogonal

Row = dict[str, Any]

# Points of a training curve.
_CURVE = 60
# Differences of the depth study below this are none.
_SAME = 1e-6


@dataclass(frozen=True)
class Axis:
    """A column that problems are drawn against.

    along: what two problems must share, besides, to be joined by a line; None: there are no lines.
    """

    key: str
    label: str
    log: bool = False
    along: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Measure:
    """A column that is drawn; least: one that bounds it from below, where it is not known."""

    key: str
    label: str
    least: str = ""
    log: bool = False


@dataclass(frozen=True)
class Section:
    """A claim or a study. about: what is said of it; point: what the page has of a row.

    legend: what the kinds of points, "zero", "positive" and "open", mean here.
    """

    about: dict[str, Any]
    frame: pd.DataFrame
    axes: tuple[Axis, ...]
    measures: tuple[Measure, ...]
    legend: dict[str, str]
    point: Callable[[Row], dict[str, Any]]

    def content(self) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """The section without its points, and its points: plain values."""
        frame = self.frame
        varying = [a for a in self.axes if frame[a.key].nunique() > 1] or [self.axes[0]]
        common = [a for a in varying if frame[a.key].notna().mean() >= 0.5] or varying
        measures = [m for m in self.measures if frame[m.key].notna().any()] or [self.measures[0]]
        names = {a.key: _names(frame[a.key]) for a in varying}
        head = {
            **self.about,
            "certified": int(frame["certified"].astype(bool).sum()),
            "x": varying.index(common[0]),
            "axes": [
                {"label": a.label, "log": a.log, "names": names[a.key], "along": _along(a, varying)}
                for a in varying
            ],
            "measures": [
                {"label": m.label, "log": m.log or _small(frame[m.key])} for m in measures
            ],
            "legend": self.legend,
        }
        points = []
        for record in frame.to_dict("records"):
            row = {str(key): value for key, value in record.items()}
            place = {
                "at": [_place(row[a.key], names[a.key]) for a in varying],
                "y": [_cell(row[m.key]) for m in measures],
                "least": [_cell(row[m.least]) if m.least else None for m in measures],
                "certified": bool(row["certified"]),
            }
            points.append(place | self.point(row))
        return head, points


def sections(tables: Path, proofs: Proofs) -> Iterator[Section]:
    """The sections of a run, in the order of the scoreboard; own data come last."""
    problems, curves = _problems(tables), read(tables, "curves.csv")
    point = _problem(proofs, dict(iter(curves.groupby(["setting", "instance"]))))
    owners = set(problems["claim"])
    if owners - {OWN_DATA}:
        board = scoreboard_of_run(tables).set_index("claim")
        for claim in CLAIMS:
            if claim.id in board.index:
                about = {
                    "id": claim.id,
                    "title": claim.statement,
                    "where": claim.where,
                    "verdict": board.loc[claim.id, "verdict"],
                    "evidence": board.loc[claim.id, "evidence"],
                }
                own = problems[problems["claim"] == claim.id]
                measures = (*_MEASURES.get(claim.test, ()), _GAP)
                yield Section(about, own, _CLAIM_AXES, measures, _LEGEND, point)
        for name, study in (("depth", _depth), ("search", _search), ("audits", _audits)):
            frame = read(tables, f"{name}.csv")
            if len(frame):
                yield study(frame, proofs)
    if OWN_DATA in owners:
        own = problems[problems["claim"] == OWN_DATA]
        about = {"id": OWN_DATA, "title": "Your own data", "evidence": _counted(own["verdict"])}
        yield Section(about, own, _CLAIM_AXES, (_GAP,), _LEGEND, point)


# --- claims ---------------------------------------------------------------------------------------

# What two problems share that differ in one thing that is asked, or in one of rank-one data.
_ASKED = (
    *("setting", "data", "architecture", "activation", "regularizer", "depth", "beta"),
    "branches_allowed",
)
_RANK_ONE = ("setting", "depth", "k", "angle", "ratio", "sides")
# Problems are first drawn against the first of these that most problems of a claim have and that is
# not the same for all.
_CLAIM_AXES = (
    Axis("angle", "angle ω between the targets, degrees", along=_RANK_ONE),
    Axis("branches_allowed", "branches allowed", along=_ASKED),
    Axis("beta", "penalty β", log=True, along=_ASKED),
    Axis("depth", "layers L", along=_ASKED),
    Axis("n", "samples n"),
    Axis("d", "features d"),
    Axis("k", "outputs k"),
    Axis("classes", "classes"),
    Axis("sizes", "class sizes"),
    Axis("ratio", "‖y₋‖ / ‖y₊‖", along=_RANK_ONE),
    Axis("sides", "signs of the data"),
    Axis("map_rank", "rank of X†Y"),
    Axis("spectrum", "singular values of X†Y"),
    Axis("shape", "over- or underdetermined"),
    Axis("architecture", "architecture"),
    Axis("activation", "activation"),
    Axis("regularizer", "regulariser"),
    Axis("paper", "what the paper says"),
    Axis("setting", "setting"),
    Axis("data", "data"),
)
_GAP = Measure("relative_gap", "relative gap (P − D) / P", least="gap_least")
_MEASURES = {
    "formula": (Measure("over_formula", "best network / one direction per class"),),
    "shrinkage": (Measure("rank_map", "rank of the best map"),),
}
_LEGEND = {"zero": "no gap", "positive": "a gap, proved", "open": "open: at most this"}
# What a problem's page says besides the row of the gap table; seeds are too large for a browser.
_FACTS = (
    *("paper", "holds", "beta", "branches_allowed", "width", "ranks", "rank_map"),
    *("singular_values", "constructed", "best", "median", "share_optimal", "restarts", "excess"),
)
_UNSAID = ("seed",)


def _problems(tables: Path) -> pd.DataFrame:
    """The problems of a run, a row each, with all that tables say of them and what is drawn."""
    frame = read(tables, "gaps.csv")
    for name in ("details.csv", "training.csv"):
        other = read(tables, name)
        frame = joined(frame, other, [c for c in other.columns if c not in frame.columns])
    frame["classes"] = [_count(text, "-") for text in frame["sizes"]]
    frame["map_rank"] = [_count(text, ",") for text in frame["singular_values_data"]]
    frame["over_formula"] = [
        primal / _orthogonal(sizes, depth) if isinstance(sizes, str) else math.nan
        for primal, sizes, depth in zip(
            frame["primal"], frame["sizes"], frame["depth"], strict=True
        )
    ]
    least = 1 - frame["dual_upper"].astype(float) / frame["primal_lower"].astype(float)
    frame["gap_least"] = least.clip(lower=0).fillna(0)
    return frame


def _count(text: Any, comma: str) -> float:
    return text.count(comma) + 1 if isinstance(text, str) else math.nan


def _orthogonal(sizes: str, depth: int) -> float:
    """What one direction per class costs."""
    counts = np.array(sizes.split("-"), dtype=float)
    return depth / 2 * one_hot_orthogonal(counts, depth) ** (2 / depth)


def _problem(proofs: Proofs, curves: dict[Any, pd.DataFrame]) -> Callable[[Row], dict[str, Any]]:
    """What the page has of a row of the gap table."""

    def point(row: Row) -> dict[str, Any]:
        found = proofs.of(row["claim"], row["setting"], row["instance"])
        lower, upper = row["dual"], row["primal"]
        apart = (row["primal_lower"], row["dual_upper"])
        if row["certified"]:
            apart = (found[0].verdict.primal_lower, found[0].verdict.dual_upper)
        return {
            "id": f"{row['setting']}/{row['instance']}",
            "kind": row["verdict"],
            # P is nowhere below the dual value, and so are their bounds.
            "intervals": [
                ["optimum P", float(np.fmax(lower, apart[0])), upper],
                ["dual value D", lower, float(np.fmin(upper, apart[1]))],
            ],
            "table": "gaps.csv",
            "row": _cells(row, frames.GAP_COLUMNS),
            "facts": _cells(row, _FACTS),
            "curve": _thinned(curves.get((row["setting"], row["instance"]))),
            **_proved(("", found)),
        }

    return point


def _thinned(curve: pd.DataFrame | None) -> list[list[float]]:
    """Some points of a training curve, from its first to its last."""
    if curve is None:
        return []
    chosen = np.unique(np.linspace(0, len(curve) - 1, min(len(curve), _CURVE)).astype(int))
    pairs = curve[["step", "value"]].to_numpy()[chosen]
    return [[float(f"{value:.5g}") for value in pair] for pair in pairs]


# --- studies --------------------------------------------------------------------------------------


def _depth(frame: pd.DataFrame, proofs: Proofs) -> Section:
    """Three layers against four that share nothing."""
    same = np.where(frame["relative_upper"] <= _SAME, "zero", "open")
    kinds = np.where(frame["certified"].astype(bool), "positive", same)
    frame = frame.assign(outcome=kinds).sort_values(["d", "n", "id"], kind="stable")
    differ = frame.loc[frame["outcome"] == "positive", "relative_lower"]
    most = f", by up to {math.floor(1e4 * differ.max()) / 100:g} %" if len(differ) else ""
    equal = int((kinds == "zero").sum())

    def point(row: Row) -> dict[str, Any]:
        return {
            "id": f"depth-study/{row['id']}",
            "kind": row["outcome"],
            "intervals": [
                ["three layers D₁(3)", row["three_lower"], row["three_upper"]],
                ["four layers", row["four_lower"], row["four_upper"]],
            ],
            "table": "depth.csv",
            "row": _cells(row, frames.DEPTH_COLUMNS),
            **_proved(("", proofs.of("depth", "depth-study", row["id"]))),
        }

    return Section(
        about={
            "id": "depth-study",
            "title": "Four layers can cost less than three, in parallel ReLU networks.",
            "where": "beyond the paper",
            "evidence": f"proved on {len(differ)} of {len(frame)} data sets{most}; no difference "
            f"beyond {_SAME:g} on {equal}",
        },
        frame=frame,
        axes=(Axis("n", "samples n"), Axis("d", "features d"), Axis("kind", "how it was found")),
        measures=(
            Measure("relative_upper", "1 − four / three layers", "relative_lower", log=True),
        ),
        legend={
            "positive": "four layers cost less, proved",
            "zero": f"no difference beyond {_SAME:g}",
            "open": "undecided: at most this",
        },
        point=point,
    )


def _search(frame: pd.DataFrame, proofs: Proofs) -> Section:
    """Gaps by search over the weights."""
    least = (1 - frame["dual_upper"] / frame["primal_lower"]).clip(lower=0)
    frame = frame.assign(least=least, most=1 - frame["dual_upper"] / frame["primal"])

    def point(row: Row) -> dict[str, Any]:
        found = proofs.of("search", "search", row["id"])
        lower = found[0].verdict.dual if found else math.nan
        return {
            "id": f"search/{row['id']}",
            "kind": row["verdict"],
            "intervals": [
                ["optimum P", row["primal_lower"], row["primal"]],
                ["dual value D", lower, row["dual_upper"]],
            ],
            "table": "search.csv",
            "row": _cells(row, frames.SEARCH_COLUMNS),
            **_proved(("", found)),
        }

    return Section(
        about={
            "id": "search",
            "title": "Gaps of three-layer standard ReLU networks, by search over the weights.",
            "where": "beyond the paper",
            "evidence": f"{_counted(frame['verdict'])}, with no theory of the data",
        },
        frame=frame,
        axes=(Axis("id", "data"), Axis("n", "samples n"), Axis("k", "outputs k")),
        measures=(Measure("most", "gap above the bound on D, relative", "least"),),
        legend=_LEGEND,
        point=point,
    )


def _audits(frame: pd.DataFrame, proofs: Proofs) -> Section:
    """Trained networks and their proved distance to the best."""
    frame = frame.assign(outcome=np.where(frame["excess"] > 0, "positive", "open"))

    def point(row: Row) -> dict[str, Any]:
        own, bracket = (
            proofs.of("audits", row["problem"], name) for name in (row["network"], "bracket")
        )
        return {
            "id": f"audits/{row['problem']}/{row['network']}",
            "kind": row["outcome"],
            "intervals": [
                ["this network", row["objective"], row["objective"]],
                ["the optimum", row["lower"], row["best"]],
            ],
            "table": "audits.csv",
            "row": _cells(row, frames.AUDIT_COLUMNS),
            **_proved(("the network's objective", own), ("the optimum", bracket)),
        }

    median = frame["relative_gap"].median()
    most = math.ceil(1e3 * median) / 10 if math.isfinite(median) else 100
    same = ("problem", "optimiser", "epochs")
    return Section(
        about={
            "id": "audits",
            "title": "How far networks that people train are from the best there is.",
            "where": "beyond the paper",
            "evidence": f"half of {len(frame)} networks are at most {most:g} % of their objective "
            "above the best of any width",
        },
        frame=frame,
        axes=(
            Axis("width", "neurons a layer", log=True, along=same),
            Axis("problem", "problem"),
            Axis("optimiser", "optimiser"),
            Axis("epochs", "epochs", log=True),
            Axis("loss", "loss"),
            Axis("depth", "layers L"),
            Axis("n", "samples n"),
            Axis("d", "features d"),
        ),
        measures=(Measure("relative_gap", "above the best, relative", "excess", log=True),),
        legend={
            "positive": "a better network is known",
            "open": "perhaps the best; at most this far",
        },
        point=point,
    )


def _proved(*named: tuple[str, list[Proof]]) -> dict[str, Any]:
    """The certificates of a point, each with what it is for; network and data of the first."""
    every = [(name, proof) for name, proofs in named for proof in proofs]
    first = every[0][1] if every else None
    return {
        "network": first and first.network,
        "data": first and first.data,
        "proofs": [
            {"for": name, "file": proof.file, "line": proof.line, "words": proof.words}
            for name, proof in every
        ],
    }


# --- cells ----------------------------------------------------------------------------------------


def _along(axis: Axis, varying: Sequence[Axis]) -> list[int] | None:
    """The numbers of the axes on which joined points agree."""
    if axis.along is None:
        return None
    return [i for i, a in enumerate(varying) if a.key in axis.along and a is not axis]


def _names(column: pd.Series) -> list[str] | None:
    """The values of a column that are no numbers, in their order; None of one of numbers."""
    known = column.dropna()
    return None if pd.api.types.is_numeric_dtype(known) else list(dict.fromkeys(map(str, known)))


def _place(value: Any, names: list[str] | None) -> Any:
    known = _cell(value)
    return known if names is None or known is None else names.index(str(known))


def _small(column: pd.Series) -> bool:
    """Whether numbers are so small that only their logarithms tell them apart."""
    return bool(column.max() < 1e-2)


def _cells(row: Row, columns: Sequence[str]) -> Row:
    """The cells of a row that are not empty."""
    pairs = ((name, _cell(row[name])) for name in columns if name not in _UNSAID)
    return {name: value for name, value in pairs if value is not None}


def _cell(value: Any) -> Any:
    """A cell of a table, None where it is empty or not finite."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _counted(verdicts: pd.Series) -> str:
    counts = verdicts.value_counts()
    return ", ".join(f"{counts[v]} {v}" for v in ("zero", "positive", "open") if v in counts)
