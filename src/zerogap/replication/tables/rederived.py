"""The gap table once more, from the certificates alone: what a sceptic compares it with."""

from pathlib import Path
from typing import Any

import pandas as pd

from zerogap.checker.check import Verdict
from zerogap.checker.files import files_of
from zerogap.checker.reading import matrix
from zerogap.model.bounds import relative
from zerogap.model.matrices import numerical_rank
from zerogap.replication.proofs import verdicts
from zerogap.replication.tables.frames import KEY, read

# What a certificate says of a problem and what its verdict proves.
COLUMNS = [
    *KEY, "architecture", "activation", "regularizer", "depth", "n", "d", "k", "rank", "primal",
    "dual", "gap", "relative_gap", "verdict", "certified",
]  # fmt: skip


def from_certificates(folder: Path, tolerance: float) -> pd.DataFrame:
    """Rows of the gap table, one for every id, certified where its one proof is accepted.

    Certificates of studies, which have tables of their own, are left out.
    """
    found: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for file in files_of([folder]):
        for certificate, verdict in verdicts(file, tolerance):
            name = tuple(certificate["id"][key] for key in KEY)
            if name[0] not in ("depth", "search", "audits"):
                row = _row(certificate, verdict)
                found.setdefault(name, []).append(dict(zip(KEY, name, strict=True)) | row)
    rows = [rows[0] | {"certified": rows[0]["certified"] and len(rows) == 1}
            for _, rows in sorted(found.items())]  # fmt: skip
    return pd.DataFrame(rows, columns=COLUMNS)


def _row(certificate: dict[str, Any], verdict: Verdict) -> dict[str, Any]:
    problem = certificate["problem"]
    X, Y = (matrix(problem[name], name) for name in ("X", "Y"))
    gap = verdict.primal - verdict.dual
    return {
        **{key: problem[key] for key in ("architecture", "activation", "regularizer", "depth")},
        "n": X.shape[0],
        "d": X.shape[1],
        "k": Y.shape[1],
        "rank": numerical_rank(X),
        "primal": verdict.primal,
        "dual": verdict.dual,
        "gap": gap,
        "relative_gap": relative(gap, verdict.primal),
        "verdict": verdict.verdict,
        "certified": verdict.accepted,
    }


def differences(derived: pd.DataFrame, tables: Path) -> list[str]:
    """What the certified rows of gaps.csv and those of the certificates do not have in common."""
    gaps = read(tables, "gaps.csv")
    stated = gaps.loc[gaps["certified"], COLUMNS].set_index(KEY).sort_index()
    proved = derived[derived["certified"]].set_index(KEY).sort_index()
    said = [f"{'/'.join(key)} has no certificate" for key in stated.index.difference(proved.index)]
    said += [f"{'/'.join(key)} has no row" for key in proved.index.difference(stated.index)]
    shared = stated.index.intersection(proved.index)
    pairs = zip(stated.loc[shared].itertuples(), proved.loc[shared].itertuples(), strict=True)
    for (key, *ours), (_, *theirs) in pairs:
        for column, one, other in zip(stated.columns, ours, theirs, strict=True):
            if one != other:
                said.append(f"{'/'.join(key)}: {column} is {one} in the table, {other} proved")
    return said
