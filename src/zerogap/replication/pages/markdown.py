"""Text and tables as Markdown."""

import re
from collections.abc import Iterable, Sequence


def plain(text: str) -> str:
    """Text that Markdown shows as it is."""
    return re.sub(r"([\\`*_\[\]<>$|~])", r"\\\1", text)


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table; heads and cells are Markdown."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(map(str, cells))} |" for cells in lines) + "\n"
