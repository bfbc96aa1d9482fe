"""Certificates as a page shows them: where they are, in words, and what they are about."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from zerogap.checker.check import Verdict
from zerogap.checker.files import lines_of, parsed
from zerogap.checker.reading import branches_of, matrix
from zerogap.checker.words import explained
from zerogap.replication.pages.sketches import data_sketch, network_sketch
from zerogap.replication.records import read_json
from zerogap.replication.sealed import require_intact

Key = tuple[str, str, str]


@dataclass(frozen=True)
class Proof:
    """A certificate: its place, the checker's verdict, and sketches of its network and data.

    data: the number of the data set, which certificates share. Neither is there if it was refused.
    """

    file: str
    line: int
    words: list[str]
    verdict: Verdict
    network: dict[str, Any] | None
    data: int | None


@dataclass(frozen=True)
class Proofs:
    """The certificates of a run by claim, setting and instance, and the data sets they state."""

    found: dict[Key, list[Proof]]
    data: list[dict[str, Any]]

    def of(self, claim: str, setting: str, instance: str) -> list[Proof]:
        """Those of one problem: one, unless something is wrong."""
        return self.found.get((claim, setting, instance), [])


def read_proofs(results: Path, certificates: Sequence[Path]) -> Proofs:
    """All certificates of some files, whose verdicts have the same names in `verdicts`.

    Nothing is proved anew. Raises DataError on a file that is missing or damaged.
    """
    proofs = Proofs({}, [])
    known: dict[str, int] = {}
    names = {field.name for field in fields(Verdict)}
    for file in certificates:
        require_intact(file)
        said = read_json(results / "verdicts" / file.parent.name / f"{file.stem}.json")
        for (line, text), record in zip(lines_of(file), said, strict=True):
            certificate = parsed(text, f"{file}, line {line}")
            # What is not finite is null in JSON, and the default of a verdict.
            given = {k: v for k, v in record.items() if k in names and v is not None}
            verdict, network, index = Verdict(**given), None, None
            if verdict.accepted:
                problem = certificate["problem"]
                network = _network(problem, branches_of(certificate["upper"], "upper"))
                index = known.setdefault(json.dumps([problem["X"], problem["Y"]]), len(known))
                if index == len(proofs.data):
                    X, Y = (matrix(problem[name], name) for name in "XY")
                    proofs.data.append(data_sketch(X, Y))
            words = explained(certificate, verdict)
            key = (record["claim"], record["setting"], record["instance"])
            proof = Proof(str(file), line, words, verdict, network, index)
            proofs.found.setdefault(key, []).append(proof)
    return proofs


def _network(problem: dict[str, Any], branches: Any) -> dict[str, Any]:
    # A bias of the first layer is the last row of its weights.
    biased = len(branches[0][0]) > problem["X"]["shape"][1]
    return network_sketch(branches, problem["activation"]) | {"biased": biased}
