"""The figures of the replication: one module each, with its caption and the tables it reads.

A figure is a module here with CAPTION, TABLES and `draw(tables)`; nothing else names it.
"""

from importlib import import_module
from pathlib import Path

from zerogap.model.errors import ConfigError
from zerogap.model.files import replacing
from zerogap.replication.tracing import constants


def described() -> dict[str, tuple[str, tuple[str, ...]]]:
    """Every figure's caption and the tables that it reads, by name; none of them is loaded."""
    found = {}
    for path in sorted(Path(__file__).parent.glob("*.py")):
        said = constants(path)
        if "CAPTION" in said:
            found[path.stem.replace("_", "-")] = (said["CAPTION"], said["TABLES"])
    return found


def draw(name: str, tables: Path, output: Path) -> None:
    """Draw figure `name` from a folder of tables into output.png and output.pdf.

    The bytes depend on the tables only. Raises ConfigError on an unknown name.
    """
    known = described()
    if name not in known:
        raise ConfigError(f"figure {name!r} is unknown; accepted are {', '.join(known)}")
    # Loaded by name, so that a figure depends on its own module and on no other figure.
    module = import_module(f"zerogap.replication.figures.{name.replace('-', '_')}")
    figure = module.draw(tables)
    for suffix, metadata in ((".png", {"Software": None}), (".pdf", {"CreationDate": None})):
        with replacing(output.with_name(output.name + suffix)) as temporary:
            figure.savefig(temporary, metadata=metadata)
