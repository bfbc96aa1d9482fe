"""The checker stands alone: the standard library, numpy and python-flint, nothing else."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import zerogap.checker

FOLDER = Path(zerogap.checker.__file__).parent
ALLOWED = {*sys.stdlib_module_names, "numpy", "flint"}


def test_the_checker_imports_nothing_of_the_rest() -> None:
    for file in FOLDER.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                own = name == "zerogap.checker" or name.startswith("zerogap.checker.")
                assert own or name.split(".")[0] in ALLOWED, f"{file.name} imports {name}"


def test_the_page_on_trust_says_how_large_the_checker_is() -> None:
    """Rounded to a hundred lines, so that it need not follow every edit."""
    lines = sum(len(file.read_text(encoding="utf-8").splitlines()) for file in FOLDER.rglob("*.py"))
    page = (FOLDER.parents[2] / "docs/trust.md").read_text(encoding="utf-8")
    said = re.search(r"about ([\d,]+) lines", page)
    assert said and abs(int(said[1].replace(",", "")) - lines) <= 100
