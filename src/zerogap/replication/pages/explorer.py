"""The explorer: one page on which every claim, problem, network and proof of a run can be opened.

It holds all that it shows, as JSON, and asks no network. Numbers of tables stand in it as the
tables have them; what is drawn of networks and data is rounded.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from zerogap.model.files import plain
from zerogap.replication.pages.certificates import read_proofs
from zerogap.replication.pages.sections import sections
from zerogap.replication.records import read_json
from zerogap.replication.tables.frames import read

_PARTS = Path(__file__).parent / "explorer_parts"
# The first makes what all others use, the last begins.
_SCRIPTS = ("elements", "scoreboard", "claim", "picture", "problem", "network", "data", "pages")


def page(results: Path, certificates: Sequence[Path]) -> str:
    """The explorer of the run in a folder, whose certificates are in some files.

    Raises DataError where a table, a certificate or a verdict is missing or damaged.
    """
    proofs = read_proofs(results, certificates)
    heads: list[dict[str, Any]] = []
    points: list[dict[str, Any]] = []
    for section in sections(results / "tables", proofs):
        head, members = section.content()
        head["points"] = list(range(len(points), len(points) + len(members)))
        points += [member | {"section": len(heads)} for member in members]
        heads.append(head)
    tested = any("verdict" in head for head in heads)
    table1 = read(results / "tables", "table1.csv").to_dict("records") if tested else []
    content = {
        "run": _run(results),
        "sections": heads,
        "points": points,
        "data": proofs.data,
        "table1": table1,
    }
    return _html(content)


def _run(results: Path) -> dict[str, Any]:
    made = read_json(results / "provenance.json")
    return {
        "name": made["config"].get("name", ""),
        "commit": made["commit"] or "",
        "modified": made["modified"],
        "version": made["packages"]["zerogap"],
    }


def _html(content: dict[str, Any]) -> str:
    """The page of some content, nothing of which can end the element that holds it."""
    text = json.dumps(plain(content), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    parts = {
        "TITLE": escape(" ".join(filter(None, ("zerogap explorer", content["run"]["name"])))),
        "STYLE": _part("look.css"),
        "SCRIPT": "\n".join(_part(f"{name}.js") for name in _SCRIPTS),
        "CONTENT": text.replace("<", "\\u003c"),
    }
    head, *rest = _part("page.html").split("{{")
    filled = (part.split("}}", 1) for part in rest)
    return head + "".join(parts[name] + after for name, after in filled)


def _part(name: str) -> str:
    return (_PARTS / name).read_text(encoding="utf-8")
