"""The documents of the repository as sources of the site."""

import os
import re
from pathlib import PurePosixPath

from zerogap.model.errors import DataError

# `](target)` of a link or a picture; what has a scheme or no path stays what it is.
LINK = re.compile(r"\]\((?![a-z]+:|#)([^)\s]+)\)")
_TAKEN = re.compile(r"^<!-- README: (.+) -->$", re.MULTILINE)


def sections(document: str) -> dict[str, str]:
    """The text under every heading of the second level; under "" what is before the first."""
    head, *rest = re.split(r"^## ", document, flags=re.MULTILINE)
    parts = (part.partition("\n") for part in rest)
    return {"": head.partition("\n")[2].strip(), **{name: text.strip() for name, _, text in parts}}


def slug(heading: str) -> str:
    """The anchor of a heading, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


class Documents:
    """Documents of the repository by their paths, some of which take sections of README.

    A line `<!-- README: heading -->` stands for that section, so that nothing is said twice.
    Raises DataError where README has no such section.
    """

    def __init__(self, readme: str, texts: dict[str, str]) -> None:
        self._sections = sections(readme)
        self._texts = texts
        taken = [(slug(name), path) for path in texts for name in _TAKEN.findall(texts[path])]
        self._homes = dict(taken)

    @property
    def untaken(self) -> set[str]:
        """The sections of README that no document takes."""
        return {name for name in self._sections if name and slug(name) not in self._homes}

    def text(self, path: str) -> str:
        """A document, whole."""
        return _TAKEN.sub(
            lambda match: f"## {match[1]}\n\n{self.section(match[1], path)}", self._texts[path]
        )

    def section(self, name: str, path: str) -> str:
        """A section of README as it stands in the document at `path`: its links lead there too."""
        if name not in self._sections:
            known = ", ".join(filter(None, self._sections))
            raise DataError(f"{path} takes {name!r} of README; accepted are {known}")
        start = PurePosixPath(path).parent
        text = LINK.sub(
            lambda match: f"]({os.path.relpath(match[1], start)})", self._sections[name]
        )

        def home(match: re.Match[str]) -> str:
            place = self._homes.get(match[1])
            return f"]({os.path.relpath(place, start) if place else ''}#{match[1]})"

        return re.sub(r"\]\(#([\w-]+)\)", home, text)
