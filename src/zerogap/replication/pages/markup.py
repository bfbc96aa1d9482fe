"""Long tables and pictures as they stand in Markdown: HTML that is taken over as it is."""

from collections.abc import Iterable, Sequence
from html import escape


def html(markup: str) -> str:
    """HTML within Markdown."""
    return f"```{{raw}} html\n{markup}\n```\n"


def wide(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table of text of any size, which scrolls where the page is narrow."""
    first = "".join(f"<th>{escape(head)}</th>" for head in heads)
    body = "\n".join(
        f"<tr>{''.join(f'<td>{escape(str(cell))}</td>' for cell in row)}</tr>" for row in rows
    )
    table = f'<table class="docutils" style="white-space: nowrap">\n<thead><tr>{first}</tr></thead>'
    around = '<div class="table-wrapper" style="overflow-x: auto">'
    return html(f"{around}{table}\n<tbody>\n{body}\n</tbody></table></div>")
