"""Table 1 of the paper: its entries beside what was proved."""

from pathlib import Path

import pandas as pd

from zerogap.model.files import write_text
from zerogap.replication.claims import CLAIMS
from zerogap.replication.tables.frames import (
    TABLE1_CELLS,
    TABLE1_COLUMNS,
    joined,
    read,
    write_csv,
    write_html,
)

# The paper's Table 1, in its own words: ✓ = 0 zero gap, ≠ 0 a gap exists. For standard ReLU
# networks of depth ≥ 3 it states that gaps can exist, and a zero gap for L = 3 on rank-one data.
PAPER_TABLE1: dict[tuple[str, str], dict[str, str]] = {
    ("standard", "linear"): {"2": "0 (known before)", "3": "≠ 0", ">3": "≠ 0"},
    ("parallel", "linear"): {"2": "0 (known before)", "3": "0", ">3": "0"},
    ("standard", "relu"): {"2": "0 (known before)", "3": "≠ 0 (0 if rank X = 1)", ">3": "≠ 0"},
    ("parallel", "relu"): {"2": "0 (known before)", "3": "0 (known before)", ">3": "0"},
}


def table1(tables: Path) -> pd.DataFrame:
    """One row per cell of the paper's Table 1: its entry, ours, worst relative gap, evidence.

    Parallel networks count with the modified regulariser (and at L = 2, where both agree).
    """
    gaps = joined(read(tables, "gaps.csv"), read(tables, "details.csv"), ["paper"])
    usable = gaps[
        (gaps["paper"] != "any")
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
                    "condition": _condition(cell),
                }
            )
    return pd.DataFrame(rows, columns=TABLE1_CELLS)


def _condition(cell: pd.DataFrame) -> str:
    """Where the paper's verdict holds, of claims with a condition that problems here contradict."""
    against = cell[(cell["verdict"] != "open") & (cell["verdict"] != cell["paper"])]
    said = (
        f"{paper} if {claim.condition}"
        for claim in CLAIMS
        if claim.condition
        for paper in against.loc[against["claim"] == claim.id, "paper"].unique()
    )
    return "; ".join(said)


def _cell_text(cell: pd.DataFrame) -> str:
    kinds = [v for v in ("zero", "positive", "open") if (cell["verdict"] == v).any()]
    if not kinds:
        return "not run"
    if len(kinds) == 1:
        return {"zero": "0", "positive": "≠ 0", "open": "open"}[kinds[0]]
    return ", ".join(f"{int((cell['verdict'] == v).sum())} {v}" for v in kinds)


def write(tables: Path) -> pd.DataFrame:
    """Write table1.csv, table1.md, table1.html and table1.tex."""
    frame = table1(tables)
    write_csv(tables / "table1.csv", frame, "table1")
    grid = table1_grid(frame)
    write_text(tables / "table1.md", grid.to_markdown() + "\n")
    write_html(tables / "table1.html", grid, "Table 1 of the paper, measured", index=True)
    tex = grid.replace({"≠": r"$\\neq$", ">": "$>$"}, regex=True)
    tex = tex.rename(columns={"L > 3": "$L > 3$", "L = 2": "$L = 2$", "L = 3": "$L = 3$"})
    write_text(tables / "table1.tex", tex.to_latex())
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
