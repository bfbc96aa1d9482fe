"""Files of a run, compared with their seals: damage is noticed and its maker named."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from zerogap.model.errors import DataError
from zerogap.model.files import digest_of, seal_of

# Folders under results, and the stage that fills each.
_MADE_BY = {
    "data": "generate",
    "primal": "train",
    "dual": "solve-dual",
    "gaps": "certify",
    "certificates": "certify",
    "verdicts": "verify",
    "depth-study": "depth-study",
}
_TABLES_BY = {
    "table1": "table1",
    "claims": "scoreboard",
    "depth": "depth-table",
    "search": "search-table",
}
# Studies that write certificates of their own, in a folder of their name.
_STUDIES = ("depth-study", "search")


def require_intact(path: Path) -> None:
    """Raise DataError where a sealed file is not what was written; it is set aside.

    A file without a seal, such as one's own copy, passes.
    """
    try:
        if seal_of(path).read_text(encoding="utf-8").strip() == digest_of(path):
            return
    except (OSError, UnicodeDecodeError):
        return  # no seal, or no file: reading it will say so
    raise damaged(path, "its checksum is not that of what was written")


def damaged(path: Path, why: str) -> DataError:
    """The error for a damaged file that the workflow made, set aside so that a run remakes it."""
    made = _TABLES_BY.get(path.stem, "collect") if path.parent.name == "tables" else None
    stage = made or next((_MADE_BY[part] for part in path.parts if part in _MADE_BY), None)
    if stage is None:
        return DataError(f"{path} is damaged: {why}")
    if path.parent.name in _STUDIES:
        stage = path.parent.name
    message = f"{path} is damaged: {why}; the stage {stage} makes it again on the next run"
    aside = path.with_name(f"{path.name}.damaged")
    with suppress(OSError):
        path.replace(aside)
        return DataError(f"{message}, what is left of it is {aside.name}")
    return DataError(f"{message} once it is removed")
