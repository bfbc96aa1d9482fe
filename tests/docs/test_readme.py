"""The first thing that README shows is what its code prints."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NUMBER = re.compile(r"\d+(?:\.\d+)?(?:e[-+]\d+)?")


def test_the_first_block_of_code_prints_the_first_block_of_output() -> None:
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    code, said = re.search(r"```python\n(.*?)```\n\n```\n(.*?)```", page, re.DOTALL).groups()  # type: ignore[union-attr]
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=600, check=True
    )
    for printed, shown in zip(done.stdout.splitlines(), said.splitlines(), strict=True):
        if not shown.startswith("to try"):
            assert NUMBER.sub("#", printed) == NUMBER.sub("#", shown)
    # Training, and so the network, differ from machine to machine in their last digits.
    objectives = [float(NUMBER.findall(text)[0]) for text in (done.stdout, said)]
    assert abs(objectives[0] - objectives[1]) <= 1e-2 * objectives[1]
