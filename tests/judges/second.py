"""Both judges on the same certificates, and where they differ."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zerogap.checker import verify

# Claims are at least this far from what is proved, relatively, or both judges round in their ways.
NEAR = 1e-9


@dataclass(frozen=True)
class Judge:
    """checker-go as a function."""

    program: Path

    def __call__(self, lines: list[str]) -> list[str]:
        """The verdicts on certificates: accepted, refused: why, not judged here: why."""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "some.jsonl"
            file.write_text("\n".join(lines) + "\n", encoding="utf-8")
            done = subprocess.run([self.program, file], capture_output=True, text=True)
        verdicts = [line.split(" ", 1)[1] for line in done.stdout.splitlines()[:-1]]
        assert len(verdicts) == len(lines), done.stderr
        return verdicts


@dataclass
class Comparison:
    """How many verdicts agree, and the lines with both verdicts where they do not."""

    counts: Counter[str] = field(default_factory=Counter)
    differ: list[tuple[str, str, str]] = field(default_factory=list)

    def __str__(self) -> str:
        return ", ".join(f"{count} {name}" for name, count in sorted(self.counts.items()))


def compared(second: Judge, lines: list[str]) -> Comparison:
    """Both judges' verdicts. A claim that is within rounding of what is proved may divide them."""
    result = Comparison()
    for line, theirs in zip(lines, second(lines), strict=True):
        ours = verify(json.loads(line))
        name = theirs.split(":")[0]
        if name == "not judged here":
            result.counts[name] += 1
        elif (name == "accepted") == ours.accepted:
            result.counts[f"{name} by both"] += 1
        elif _rounding(second, line):
            result.counts["divided by rounding"] += 1
        else:
            result.counts["divided"] += 1
            result.differ.append((line, ours.reason, theirs))
    return result


def _rounding(second: Judge, line: str) -> bool:
    """Whether slightly weaker claims convince both judges, and slightly stronger ones neither."""
    weaker, stronger = (json.dumps(_moved(json.loads(line), sign)) for sign in (1, -1))
    ours = [verify(json.loads(moved)).accepted for moved in (weaker, stronger)]
    theirs = [verdict == "accepted" for verdict in second([weaker, stronger])]
    return ours == theirs == [True, False]


def _moved(certificate: Any, sign: int) -> Any:
    claimed = certificate["claimed"]
    for name, value in claimed.items():
        if isinstance(value, str):
            up = 1 if name in ("primal", "dual_upper", "deeper_upper") else -1
            claimed[name] = (float.fromhex(value) * (1 + sign * up * NEAR)).hex()
    return certificate
