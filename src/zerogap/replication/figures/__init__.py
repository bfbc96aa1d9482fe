"""The figures of the replication: each module draws one, from the tables alone."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from zerogap.model.errors import ConfigError
from zerogap.model.files import replacing

FIGURES = (
    *("table1", "linear-depth", "low-rank", "rank-one"),
    *("whitened", "branches", "relu-depth", "depth-study", "training"),
)


def draw(name: str, tables: Path, output: Path) -> None:
    """Draw figure `name` from a folder of tables into output.png and output.pdf.

    The bytes depend on the tables only. Raises ConfigError on an unknown name.
    """
    if name not in FIGURES:
        raise ConfigError(f"figure {name!r} is unknown; accepted are {', '.join(FIGURES)}")
    # Loaded by name, so that a figure depends on its own module and on no other figure.
    figure = import_module(f"zerogap.replication.figures.{name.replace('-', '_')}").draw(tables)
    for suffix, metadata in ((".png", {"Software": None}), (".pdf", {"CreationDate": None})):
        with replacing(output.with_name(output.name + suffix)) as temporary:
            figure.savefig(temporary, metadata=metadata)
