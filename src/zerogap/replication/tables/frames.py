"""Tables as files: their columns, reading and writing."""

import json
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd

from zerogap.model.errors import DataError
from zerogap.model.files import write_text
from zerogap.replication.sealed import damaged, require_intact, sealing

# What a row of a problem is called, in every table of problems.
KEY = ["claim", "setting", "instance"]

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

# Training by steps: the best value, and what half and three quarters of the restarts have reached
# (empty where only the best of them go on).
CURVE_COLUMNS = ["setting", "instance", "step", "value", "median", "upper"]

DETAIL_COLUMNS = [
    "claim", "setting", "instance", "data", "architecture", "activation", "regularizer", "depth",
    "beta", "paper", "holds", "branches_allowed", "primal", "dual", "primal_lower", "dual_upper",
    "trained", "constructed", "width", "ranks", "trained_ranks", "singular_values",
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

# Trained networks in torch's units: the objective, a proved lower bound on the optimum and the best
# value known. relative_gap, of the objective, is excess, which is the network's for certain, and
# unknown. method: of the bound. error: the share of samples misclassified, or the mean of squares.
AUDIT_COLUMNS = [
    "problem", "network", "data", "n", "d", "k", "loss", "depth", "bias", "decay", "optimiser",
    "epochs", "width", "error", "objective", "lower", "method", "best", "relative_gap", "excess",
    "unknown", "certified", "note",
]  # fmt: skip

TABLE1_COLUMNS = ["2", "3", ">3"]
# condition: what was found to be needed where the paper's sentences fail somewhere in the cell.
TABLE1_CELLS = [
    "architecture", "activation", "depth", "paper", "ours", "worst_relative_gap", "instances",
    "zero", "positive", "open", "certified", "condition",
]  # fmt: skip

SCOREBOARD_COLUMNS = [
    "claim", "statement", "verdict", "evidence", "instances", "certified_share",
]  # fmt: skip

COLUMNS = {
    "gaps.csv": GAP_COLUMNS,
    "training.csv": TRAINING_COLUMNS,
    "details.csv": DETAIL_COLUMNS,
    "depth.csv": DEPTH_COLUMNS,
    "search.csv": SEARCH_COLUMNS,
    "audits.csv": AUDIT_COLUMNS,
    "curves.csv": CURVE_COLUMNS,
    "table1.csv": TABLE1_CELLS,
    "claims.csv": SCOREBOARD_COLUMNS,
}


def read(tables: Path, name: str) -> pd.DataFrame:
    """A table by its file name. Raises DataError where it is missing, damaged or another."""
    path = tables / name
    if not path.is_file():
        raise DataError(f"{path} does not exist; `snakemake` makes it, in a clone of zerogap")
    require_intact(path)
    try:
        frame = pd.read_csv(path, float_precision="round_trip")
    except (OSError, ValueError) as error:  # what pandas raises on bad files are ValueErrors
        raise damaged(path, str(error)) from None
    missing = [column for column in COLUMNS[name] if column not in frame]
    if missing:
        raise DataError(f"{path} has no column {missing[0]!r}; `snakemake` makes it again")
    return frame


def scoreboard_of_run(tables: Path) -> pd.DataFrame:
    """The scoreboard. Raises DataError where it is not that of the gap table beside it."""
    claims, gaps = read(tables, "claims.csv"), read(tables, "gaps.csv")
    counted = gaps["claim"].value_counts()
    for claim, instances in zip(claims["claim"], claims["instances"], strict=True):
        if counted.get(claim, 0) != instances:
            raise DataError(
                f"{tables / 'claims.csv'} counts {instances} problems of {claim}, gaps.csv has "
                f"{counted.get(claim, 0)}: they are of different runs; `snakemake` makes both again"
            )
    return claims


def joined(left: pd.DataFrame, right: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """The left table with columns of the right one, row by row of the same problem."""
    return left.merge(right[[*KEY, *columns]], on=KEY, how="left", validate="one_to_one")


def write(path: Path, rows: list[dict[str, Any]], columns: list[str], stage: str) -> None:
    """Write records as a table of these columns; lists and dicts as JSON."""

    def cell(value: Any) -> Any:
        return json.dumps(value) if isinstance(value, list | dict) else value

    table = pd.DataFrame([{c: cell(row.get(c)) for c in columns} for row in rows], columns=columns)
    if "seed" in columns:  # 63 bits do not fit a float, and a column with gaps would be one
        table["seed"] = pd.array([row.get("seed") for row in rows], dtype="Int64")
    write_csv(path, table, stage)


# A page of one table needs no more than this.
_LOOK = """<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>
body {{ font: 15px/1.5 system-ui, sans-serif; margin: 2rem; color: #1c2024; background: #fff; }}
table {{ border-collapse: collapse; }}
th, td {{ text-align: left; vertical-align: top; padding: .5rem .8rem; border: 1px solid #d9dcd6; }}
</style><h1>{title}</h1>
"""


def write_html(path: Path, frame: pd.DataFrame, title: str, index: bool = False) -> None:
    """Write a table as a page of its own, for the report of a run."""
    body = frame.to_html(index=index, border=0, justify="left", na_rep="")
    write_text(path, _LOOK.format(title=escape(title)) + body + "\n</html>\n")


def write_csv(path: Path, frame: pd.DataFrame, stage: str) -> None:
    """Write a table, sealed by the stage that made it."""
    with sealing(path, stage) as temporary:
        frame.to_csv(temporary, index=False, lineterminator="\n")
