"""The scoreboard: every claim that was run, its verdict and the evidence."""

from pathlib import Path

import pandas as pd

from zerogap.model.files import write_text
from zerogap.replication.claims import CLAIMS
from zerogap.replication.tables.frames import (
    SCOREBOARD_COLUMNS,
    joined,
    read,
    write_csv,
    write_html,
)
from zerogap.replication.tables.judges import judge


def scoreboard(tables: Path, tolerance: float) -> pd.DataFrame:
    """One row per claim that was run: statement, verdict, evidence, instances, certified share.

    tolerance: the relative gap that counted as zero.
    """
    gaps, details = read(tables, "gaps.csv"), read(tables, "details.csv")
    frame = joined(gaps, details, [c for c in details.columns if c not in gaps.columns])
    frame = joined(frame, read(tables, "training.csv"), ["excess"])
    rows = []
    for claim in CLAIMS:
        cell = frame[frame["claim"] == claim.id]
        if not len(cell):
            continue
        verdict, evidence = judge(claim, cell, tolerance)
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


def write(tables: Path, tolerance: float) -> pd.DataFrame:
    """Write claims.csv, claims.md and claims.html."""
    frame = scoreboard(tables, tolerance)
    write_csv(tables / "claims.csv", frame, "scoreboard")
    write_text(tables / "claims.md", frame.to_markdown(index=False) + "\n")
    write_html(tables / "claims.html", frame, "The paper's claims")
    return frame
