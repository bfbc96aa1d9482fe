"""Tables of the replication: gaps, training, details, Table 1 and the scoreboard."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from zerogap.model.errors import DataError
from zerogap.model.files import replacing, write_text
from zerogap.replication.claims import CLAIMS, OWN_DATA, PAPER_TABLE1, Claim
from zerogap.replication.sealed import damaged, require_intact

GAP_COLUMNS = [
    "claim", "setting", "instance", "seed", "architecture", "activation", "regularizer", "depth",
    "n", "d", "k", "rank", "branches", "primal", "primal_method", "dual", "dual_method", "gap",
    "relative_gap", "exact_primal", "exact_dual", "verdict", "certified", "status", "reason",
    "seconds_primal", "seconds_dual",
]  # fmt: skip

TRAINING_COLUMNS = [
    "claim", "setting", "instance", "depth", "best", "median", "share_optimal", "error", "restarts",
    "optimum", "excess",
]  # fmt: skip

DETAIL_COLUMNS = [
    "claim", "setting", "instance", "data", "architecture", "activation", "regularizer", "depth",
    "beta", "paper", "holds", "branches_allowed", "primal", "dual", "primal_lower", "dual_upper",
    "conjectured", "trained", "constructed", "ranks", "trained_ranks", "singular_values",
    "singular_values_data", "rank_map", "angle", "ratio", "sides", "sizes", "spectrum", "shape",
    "proved_primal", "proved_dual", "proved_verdict",
]  # fmt: skip

# Bounds on D₁(3) and on D₁^path(4), of the kind "network" on D₁(4) itself; relative_* bound one
# minus their ratio. kind: random or adversarial (seed given), or network.
DEPTH_COLUMNS = [
    "id", "n", "d", "seed", "kind", "three_lower", "three_upper", "four_lower", "four_upper",
    "relative_lower", "relative_upper", "certified",
]  # fmt: skip

# Standard ReLU networks of three layers: P is at least primal_lower, by a search over so many
# leaves, and the dual value at most dual_upper.
SEARCH_COLUMNS = [
    "id", "n", "d", "k", "leaves", "primal_lower", "primal", "dual_upper", "verdict", "certified",
]  # fmt: skip

TABLE1_CELLS = [
    "architecture", "activation", "depth", "paper", "ours", "worst_relative_gap", "instances",
    "zero", "positive", "open", "certified",
]  # fmt: skip

SCOREBOARD_COLUMNS = [
    "claim", "statement", "verdict", "evidence", "instances", "certified_share",
]  # fmt: skip

_COLUMNS = {
    "gaps.csv": GAP_COLUMNS,
    "training.csv": TRAINING_COLUMNS,
    "details.csv": DETAIL_COLUMNS,
    "depth.csv": DEPTH_COLUMNS,
    "search.csv": SEARCH_COLUMNS,
    "curves.csv": ["setting", "instance", "step", "value"],
    "table1.csv": TABLE1_CELLS,
    "claims.csv": SCOREBOARD_COLUMNS,
}

# A network this close to an optimum has found it (relative).
FOUND = 1e-4


def gather(
    gap_batches: list[list[dict[str, Any]]],
    verdict_batches: list[list[dict[str, Any]]],
    output: Path,
) -> int:
    """Write gaps.csv, training.csv, details.csv and curves.csv; returns the number of problems.

    `certified` and the verdict come from the checker's verdicts alone: a problem whose certificate
    was refused, or that has none, is "open". status: "solved"; "retried", where a method failed
    and the next gave the bound; "failed", where none did; "refused", by the checker. reason: what
    failed, for all but the first.
    """
    proved = {
        (rows[0]["setting"], v["instance"]): v
        for rows, verdicts in zip(gap_batches, verdict_batches, strict=True)
        for v in verdicts
    }
    records = sorted(
        (row for rows in gap_batches for row in rows),
        key=lambda row: (row["claim"], row["setting"], row["instance"]),
    )
    gaps, training, details, curves = [], [], [], []
    for row in records:
        check = proved.get((row["setting"], row["instance"]), {})
        certified = bool(check.get("accepted"))
        merged = {**row, "certified": certified}
        primal, dual = row.get("primal"), row.get("dual")
        if primal is not None and dual is not None:
            merged["gap"] = primal - dual
            merged["relative_gap"] = (primal - dual) / primal if primal else 0.0
        merged["verdict"] = check["status"] if certified else "open"
        if check and not certified:
            merged |= {"status": "refused", "reason": f"certificate: {check['reason']}"}
        gaps.append(merged)
        training.append(_training_row(row))
        tags = {key: value for key, value in row["tags"].items() if key in DETAIL_COLUMNS}
        details.append(
            {
                **row,
                **tags,
                "trained": row["trained"]["best"],
                "trained_ranks": row["trained"]["ranks"],
                "proved_primal": check.get("primal"),
                "proved_dual": check.get("dual"),
                "proved_verdict": check.get("status"),
            }
        )
        for step, value in _thinned(row["curve"] or []):
            curves.append(
                {
                    "setting": row["setting"],
                    "instance": row["instance"],
                    "step": step,
                    "value": value,
                }
            )
    written = {"gaps": gaps, "training": training, "details": details, "curves": curves}
    for name, rows in written.items():
        _write(output / f"{name}.csv", rows, _COLUMNS[f"{name}.csv"])
    return len(records)


def _thinned(curve: list[list[Any]]) -> list[list[Any]]:
    """The points of a falling curve beside which it moves by a thousandth, and its two ends.

    Unthinned, the curves are the largest table by far, and flat for most of their length.
    """
    values = np.array([np.inf if value is None else value for _, value in curve])
    if len(values) < 3:
        return curve
    moves = values[1:] < (1 - 1e-3) * values[:-1]
    kept = np.concatenate([[True], moves]) | np.concatenate([moves, [True]])
    return [point for point, keep in zip(curve, kept, strict=True) if keep]


def _training_row(row: dict[str, Any]) -> dict[str, Any]:
    """How close training came to the optimum, where the optimum is known or conjectured."""
    trained = row["trained"]
    kept = {
        **{key: row[key] for key in ("claim", "setting", "instance", "depth")},
        **{key: trained[key] for key in ("best", "median", "error", "restarts")},
    }
    optimum = row.get("exact_primal") or row.get("conjectured")
    if not optimum or row["branches_allowed"] is not None or trained["best"] is None:
        return kept
    values = np.array([np.inf if v is None else v for v in trained["values"]])
    return kept | {
        "share_optimal": float(np.mean(values <= optimum * (1 + FOUND))),
        "optimum": optimum,
        "excess": trained["best"] / optimum - 1,
    }


def _write(path: Path, rows: list[dict[str, Any]], columns: list[str]) -> None:
    def cell(value: Any) -> Any:
        return json.dumps(value) if isinstance(value, list | dict) else value

    table = pd.DataFrame([{c: cell(row.get(c)) for c in columns} for row in rows], columns=columns)
    _write_csv(path, table)


def _write_csv(path: Path, frame: pd.DataFrame) -> None:
    with replacing(path, sealed=True) as temporary:
        frame.to_csv(temporary, index=False, lineterminator="\n")


def write_depth(rows: list[dict[str, Any]], proved: set[str], output: Path) -> int:
    """Write depth.csv, the depth study; certified: the checker proved that the values differ."""
    merged = [row | {"certified": row["id"] in proved} for row in rows]
    merged.sort(key=lambda row: (row["d"], row["n"], row["kind"]))
    _write(output, merged, DEPTH_COLUMNS)
    return len(merged)


def write_search(proved: list[tuple[Any, Any]], output: Path) -> int:
    """Write search.csv from certificates of kind `search` and their verdicts."""
    rows = []
    for proof, verdict in proved:
        n, d = proof["problem"]["X"]["shape"]
        rows.append(
            {
                "id": proof["id"]["instance"],
                "n": n,
                "d": d,
                "k": proof["problem"]["Y"]["shape"][1],
                "leaves": proof["gap"]["search"]["leaves"]["shape"][0],
                "primal_lower": verdict.primal_lower,
                "primal": verdict.primal,
                "dual_upper": verdict.dual_upper,
                "verdict": verdict.status,
                "certified": verdict.accepted,
            }
        )
    _write(output, rows, SEARCH_COLUMNS)
    return len(rows)


def read(tables: Path, name: str) -> pd.DataFrame:
    """A table by its file name. Raises DataError where it is missing, damaged or another."""
    path = tables / name
    if not path.is_file():
        raise DataError(f"{path} does not exist; `snakemake` makes it")
    require_intact(path)
    try:
        frame = pd.read_csv(path)
    except (OSError, ValueError) as error:  # what pandas raises on bad files are ValueErrors
        raise damaged(path, str(error)) from None
    missing = [column for column in _COLUMNS[name] if column not in frame]
    if missing:
        raise DataError(f"{path} has no column {missing[0]!r}; `snakemake` makes it again")
    return frame


# --- Table 1 ----------------------------------------------------------------------------------

TABLE1_COLUMNS = ["2", "3", ">3"]


def table1(tables: Path) -> pd.DataFrame:
    """One row per cell of the paper's Table 1: its entry, ours, worst relative gap, evidence.

    Parallel networks count with the modified regulariser (and at L = 2, where both agree).
    """
    gaps = read(tables, "gaps.csv")
    details = read(tables, "details.csv")
    gaps["paper"] = details["paper"]
    usable = gaps[
        (gaps["claim"] != OWN_DATA)
        & (gaps["paper"] != "any")
        & (
            (gaps["architecture"] == "standard")
            | (gaps["regularizer"] == "power")
            | (gaps["depth"] == 2)
        )
    ]
    rows = []
    for (architecture, activation), entries in PAPER_TABLE1.items():
        for column in TABLE1_COLUMNS:
            depth = usable["depth"]
            in_column = depth > 3 if column == ">3" else depth == int(column)
            # At L = 2 the two architectures are the same network.
            same = (usable["architecture"] == architecture) | (depth == 2)
            cell = usable[in_column & same & (usable["activation"] == activation)]
            rows.append(
                {
                    "architecture": architecture,
                    "activation": activation,
                    "depth": column,
                    "paper": entries[column],
                    "ours": _cell_text(cell),
                    "worst_relative_gap": cell["relative_gap"].max() if len(cell) else None,
                    "instances": len(cell),
                    "zero": int((cell["verdict"] == "zero").sum()),
                    "positive": int((cell["verdict"] == "positive").sum()),
                    "open": int((cell["verdict"] == "open").sum()),
                    "certified": int(cell["certified"].sum()),
                }
            )
    return pd.DataFrame(rows, columns=TABLE1_CELLS)


def _cell_text(cell: pd.DataFrame) -> str:
    kinds = [v for v in ("zero", "positive", "open") if (cell["verdict"] == v).any()]
    if not kinds:
        return "not run"
    if len(kinds) == 1:
        return {"zero": "0", "positive": "≠ 0", "open": "open"}[kinds[0]]
    counts = {v: int((cell["verdict"] == v).sum()) for v in kinds}
    names = {"zero": "0", "positive": "≠ 0", "open": "open"}
    return " · ".join(f"{names[v]}: {count}" for v, count in counts.items())


def write_table1(tables: Path, output: Path) -> pd.DataFrame:
    """Write table1.csv, table1.md and table1.tex."""
    frame = table1(tables)
    _write_csv(output / "table1.csv", frame)
    grid = table1_grid(frame)
    write_text(output / "table1.md", grid.to_markdown() + "\n")
    tex = grid.replace({"≠": r"$\\neq$", ">": "$>$", "·": r"$\\cdot$"}, regex=True)
    tex = tex.rename(columns={"L > 3": "$L > 3$", "L = 2": "$L = 2$", "L = 3": "$L = 3$"})
    write_text(output / "table1.tex", tex.to_latex())
    return frame


def table1_grid(frame: pd.DataFrame) -> pd.DataFrame:
    """Table 1 as the paper lays it out: architecture × activation against depth."""
    headers = {"2": "L = 2", "3": "L = 3", ">3": "L > 3"}
    grid: dict[str, dict[str, str]] = {}
    for row in frame.to_dict("records"):
        worst = "" if pd.isna(row["worst_relative_gap"]) else f"{row['worst_relative_gap']:.1e}"
        text = (
            f"paper: {row['paper']}; ours: {row['ours']}; worst gap {worst}; "
            f"{row['certified']}/{row['instances']} certified"
        )
        name = f"{row['architecture']}, {'ReLU' if row['activation'] == 'relu' else 'linear'}"
        grid.setdefault(name, {})[headers[str(row["depth"])]] = text
    return pd.DataFrame.from_dict(grid, orient="index")


# --- the scoreboard -----------------------------------------------------------------------------


def scoreboard(tables: Path) -> pd.DataFrame:
    """One row per claim that was run: statement, verdict, evidence, instances, certified share."""
    gaps, details = read(tables, "gaps.csv"), read(tables, "details.csv")
    training = read(tables, "training.csv")
    extra = [c for c in details.columns if c not in gaps.columns]
    frame = pd.concat([gaps, details[extra], training[["excess"]]], axis=1)
    rows = []
    for claim in CLAIMS:
        cell = frame[frame["claim"] == claim.id]
        if not len(cell):
            continue
        verdict, evidence = _judge(claim, cell)
        rows.append(
            {
                "claim": claim.id,
                "statement": claim.statement,
                "verdict": verdict,
                "evidence": evidence,
                "instances": len(cell),
                "certified_share": round(float(cell["certified"].mean()), 4),
            }
        )
    return pd.DataFrame(rows, columns=SCOREBOARD_COLUMNS)


REPLICATED = "replicated"
CONDITION = "replicated under a condition"
NOT = "not replicated"


def _judge(claim: Claim, cell: pd.DataFrame) -> tuple[str, str]:
    """A claim's verdict and the evidence; problems without a proved bracket count as open."""
    counts = cell["status"].value_counts()
    lost = cell["status"].isin(["failed", "refused"])
    evidence = [f"{counts[s]} {s}" for s in ("failed", "refused", "retried") if s in counts]
    if lost.all():
        return NOT, ", ".join(evidence)
    verdict, found = _JUDGES[claim.test](claim, cell)
    # With too few branches there may be no network; the claim asks that enough of them close it.
    if lost.any() and verdict == REPLICATED and claim.test != "branches":
        verdict, found = CONDITION, f"where the bracket closes: {found}"
    return verdict, ", ".join([found, *evidence])


def _judge_gap(claim: Claim, cell: pd.DataFrame) -> tuple[str, str]:
    """Compare proved verdicts with the sentence, on all problems and where the condition holds.

    Replicated: every problem is decided as the sentence says. Under a condition: it fails or
    stays open somewhere, but nowhere that the registry's condition holds. Else not replicated.
    """
    asked = cell[cell["paper"] != "any"]
    agrees = asked["verdict"] == asked["paper"]
    against = (asked["verdict"] != "open") & ~agrees
    unknown = asked["verdict"] == "open"
    holds = asked["holds"].astype(bool)
    worst = asked.loc[asked["paper"] == "zero", "relative_gap"]
    parts = [f"{int(agrees.sum())} of {len(asked)} problems proved as stated"]
    if agrees.any() and (worst <= 1e-6).any():
        closed = worst[worst <= 1e-6]
        parts.append(f"zero gaps close to {max(closed.max(), 1e-15):.0e}")
    if against.any():
        parts.append(f"{int(against.sum())} proved otherwise")
    if unknown.any():
        parts.append(f"{int(unknown.sum())} open")
    evidence = ", ".join(parts)
    if agrees.all():
        return REPLICATED, evidence
    if holds.any() and agrees[holds].all():
        return CONDITION, f"holds when {claim.condition}: {evidence}"
    if not against.any() and agrees.any():
        return CONDITION, f"where the bracket closes: {evidence}"
    return NOT, evidence


def _judge_formula(claim: Claim, cell: pd.DataFrame) -> tuple[str, str]:
    """Whether a certified network undercuts the orthogonal formula."""
    from zerogap.theory.whitened import one_hot_orthogonal

    cell = cell[cell["primal"].notna()]

    formula = np.array(
        [
            depth
            / 2
            * one_hot_orthogonal(np.array([float(s) for s in sizes.split("-")]), depth)
            ** (2 / depth)
            for sizes, depth in zip(cell["sizes"], cell["depth"], strict=True)
        ]
    )
    ratio = cell["primal"].to_numpy() / formula
    beaten = (ratio < 1 - 1e-6) & cell["certified"].to_numpy(dtype=bool)
    evidence = f"{int(beaten.sum())} of {len(cell)} beaten by a certified network"
    if not beaten.any():
        return REPLICATED, f"{evidence}; optimality itself is proved only for two classes at L = 3"
    evidence += f", by up to {1 - ratio.min():.1%}"
    if not beaten[cell["holds"].to_numpy(dtype=bool)].any():
        return CONDITION, f"never beaten with {claim.condition}; {evidence}"
    return NOT, evidence


def _judge_shrinkage(claim: Claim, cell: pd.DataFrame) -> tuple[str, str]:
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


def _judge_branches(claim: Claim, cell: pd.DataFrame) -> tuple[str, str]:
    """The least number of branches at which the gap is proved zero, per problem."""
    found, late = [], 0
    for data, path in cell.groupby(["data", "depth"]):
        closed = path[path["verdict"] == "zero"]["branches_allowed"]
        n, k = path["n"].iloc[0], path["k"].iloc[0]
        if len(closed) and closed.min() <= k * n + 1:
            found.append(f"m* = {int(closed.min())} of KN + 1 = {int(k * n + 1)} (L = {data[1]})")
        else:
            late += 1
    evidence = "; ".join(found)
    return (REPLICATED if not late else NOT), evidence


def _judge_bracket(claim: Claim, cell: pd.DataFrame) -> tuple[str, str]:
    """Whether every problem got a proved verdict."""
    decided = cell["verdict"] != "open"
    counts = cell["verdict"].value_counts()
    evidence = ", ".join(f"{counts[v]} {v}" for v in ("zero", "positive", "open") if v in counts)
    if decided.all():
        return REPLICATED, evidence
    return CONDITION, f"where the bracket closes: {evidence}"


_JUDGES = {
    "gap": _judge_gap,
    "formula": _judge_formula,
    "shrinkage": _judge_shrinkage,
    "branches": _judge_branches,
    "bracket": _judge_bracket,
}


def write_scoreboard(tables: Path, output: Path) -> pd.DataFrame:
    """Write claims.csv and claims.md."""
    frame = scoreboard(tables)
    _write_csv(output / "claims.csv", frame)
    write_text(output / "claims.md", frame.to_markdown(index=False) + "\n")
    return frame
