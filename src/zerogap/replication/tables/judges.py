"""How a claim is judged, by the kind of test that it names: its verdict and the evidence."""

import numpy as np
import pandas as pd

from zerogap.replication.claims.registry import Claim
from zerogap.replication.tables.directions import directions

REPLICATED = "replicated"
CONDITION = "replicated under a condition"
MEASURED = "replicated under a measured condition"  # where nothing proves that it is the condition
NOT = "not replicated"


# Gaps that are proved zero are said to be below one of these: coarser than rounding noise.
_WIDTHS = (1e-12, 1e-9, 1e-6)


def judge(claim: Claim, cell: pd.DataFrame, tolerance: float) -> tuple[str, str]:
    """A claim's verdict and the evidence; problems without a proved bracket count as open.

    tolerance: the relative gap that counted as zero when the verdicts in `cell` were given.
    """
    counts = cell["status"].value_counts()
    lost = cell["status"].isin(["failed", "refused"])
    evidence = [f"{counts[s]} {s}" for s in ("failed", "refused", "retried") if s in counts]
    if lost.all():
        return NOT, ", ".join(evidence)
    verdict, found = _JUDGES[claim.test](claim, cell, tolerance)
    # With too few branches there may be no network; the claim asks that enough of them close it.
    if lost.any() and verdict == REPLICATED and claim.test != "branches":
        verdict, found = MEASURED, f"where the bracket closes: {found}"
    if claim.unproved and (left := int((cell["verdict"] == "open").sum())):
        evidence.append(f"{left} open ({claim.unproved})")
    return verdict, ", ".join([found, *evidence])


def _judge_gap(claim: Claim, cell: pd.DataFrame, tolerance: float) -> tuple[str, str]:
    """Compare proved verdicts with the sentence, on all problems and where the condition holds.

    Replicated: every problem is decided as the sentence says. Under a condition: it fails or
    stays open somewhere, but nowhere that the registry's condition holds. Else not replicated.
    """
    asked = cell[cell["paper"] != "any"]
    agrees = asked["verdict"] == asked["paper"]
    against = (asked["verdict"] != "open") & ~agrees
    unknown = asked["verdict"] == "open"
    holds = asked["holds"].astype(bool)
    parts = [f"{int(agrees.sum())} of {len(asked)} problems proved as stated"]
    closed = asked.loc[agrees & (asked["paper"] == "zero"), "relative_gap"]
    if len(closed):
        parts.append(f"zero gaps below {_width(closed.max(), tolerance)}")
    if against.any():
        parts.append(f"{int(against.sum())} proved otherwise")
    if unknown.any():
        parts.append(f"{int(unknown.sum())} open")
    evidence = ", ".join(parts)
    if agrees.all():
        return REPLICATED, evidence
    if holds.any() and agrees[holds].all():
        return _conditional(claim), f"holds when {claim.condition}: {evidence}"
    if not against.any() and agrees.any():
        return MEASURED, f"where the bracket closes: {evidence}"
    return NOT, evidence


def _conditional(claim: Claim) -> str:
    return MEASURED if claim.measured else CONDITION


def _width(gap: float, tolerance: float) -> str:
    """The first of the widths above a gap, or the tolerance, which no zero gap exceeds."""
    return f"{next((w for w in (*_WIDTHS, tolerance) if gap < w), tolerance):.0e}"


def _judge_formula(claim: Claim, cell: pd.DataFrame, tolerance: float) -> tuple[str, str]:
    """Whether a certified network undercuts the orthogonal formula."""
    cell = cell[cell["primal"].notna()]
    ratio = cell["primal"].to_numpy() / directions(cell)
    beaten = (ratio < 1 - 1e-6) & cell["certified"].to_numpy(dtype=bool)
    evidence = f"{int(beaten.sum())} of {len(cell)} beaten by a certified network"
    if not beaten.any():
        return REPLICATED, f"{evidence}; optimality itself is proved for two classes"
    evidence += f", by up to {1 - ratio[beaten].min():.1%}"
    if not beaten[cell["holds"].to_numpy(dtype=bool)].any():
        return _conditional(claim), f"never beaten with {claim.condition}; {evidence}"
    return NOT, evidence


def _judge_shrinkage(claim: Claim, cell: pd.DataFrame, tolerance: float) -> tuple[str, str]:
    """Trained values against the closed form, and ranks against β at every depth."""
    cell = cell[cell["rank_map"].notna()]
    excess = cell["excess"].abs()
    matched = float((excess <= 1e-3).mean())
    falls = True
    for _, path in cell.groupby(["data", "depth"]):
        by_beta = path.sort_values("beta")["rank_map"].to_numpy()
        falls &= bool((np.diff(by_beta) <= 0).all())
    ranks = cell["rank_map"]
    evidence = (
        f"training meets the closed form to 1e-3 on {matched:.0%} of problems; rank falls from "
        f"{int(ranks.max())} to {int(ranks.min())} as β grows"
    )
    return (REPLICATED if falls and matched >= 0.95 else NOT), evidence


def _judge_branches(claim: Claim, cell: pd.DataFrame, tolerance: float) -> tuple[str, str]:
    """The least number of branches at which the gap is proved zero, per problem.

    Fewer may do: a gap that stays open with fewer is not proved positive.
    """
    found: list[str] = []
    late = 0
    for data, path in cell.groupby(["data", "depth"]):
        closed = path[path["verdict"] == "zero"]["branches_allowed"]
        n, k = path["n"].iloc[0], path["k"].iloc[0]
        if len(closed) and closed.min() <= k * n + 1:
            found.append(f"m* ≤ {int(closed.min())} of KN + 1 = {int(k * n + 1)} (L = {data[1]})")
        else:
            late += 1
    evidence = "; ".join(found)
    if found:
        evidence = f"gaps below {tolerance:.0e} at {evidence}"
    if late:
        said = f"open or late on {late} of {late + len(found)}"
        evidence = f"{evidence}; {said}" if found else said
    return (NOT if late else REPLICATED), evidence


def _judge_bracket(claim: Claim, cell: pd.DataFrame, tolerance: float) -> tuple[str, str]:
    """Whether every problem got a proved verdict."""
    decided = cell["verdict"] != "open"
    counts = cell["verdict"].value_counts()
    evidence = ", ".join(f"{counts[v]} {v}" for v in ("zero", "positive", "open") if v in counts)
    if decided.all():
        return REPLICATED, evidence
    return (MEASURED, f"where the bracket closes: {evidence}") if decided.any() else (NOT, evidence)


_JUDGES = {
    "gap": _judge_gap,
    "formula": _judge_formula,
    "shrinkage": _judge_shrinkage,
    "branches": _judge_branches,
    "bracket": _judge_bracket,
}
