"""Text and tables as Markdown, and titles of notebooks."""

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path


def plain(text: str) -> str:
    """Text that Markdown shows as it is."""
    return re.sub(r"([\\`*_\[\]<>$|~])", r"\\\1", text)


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table; heads and cells are Markdown."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(map(str, cells))} |" for cells in lines) + "\n"


def heading(notebook: Path) -> str:
    """The first line of a notebook, its title."""
    first = json.loads(notebook.read_text(encoding="utf-8"))["cells"][0]
    return "".join(first["source"]).splitlines()[0].removeprefix("# ")
