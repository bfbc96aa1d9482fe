"""The figures of the replication: one module each, with what is said of it.

A figure is a module here with CAPTION (what it shows, and what to see), ALT (the picture in words,
for who does not see it), TABLES (what it reads) and `draw(tables)`, and with CLAIMS, the ids of the
claims that it is about, if there are any; nothing else names it.
"""

from importlib import import_module
from pathlib import Path
from typing import NamedTuple

from zerogap.model.errors import ConfigError
from zerogap.model.files import replacing
from zerogap.replication.tracing import constants


class Described(NamedTuple):
    """What is said of a figure, the tables that it reads, the command that makes it, its claims."""

    caption: str
    tables: tuple[str, ...]
    alt: str
    command: str
    claims: tuple[str, ...]


def described() -> dict[str, Described]:
    """What every figure is, by name; none of them is loaded."""
    found = {}
    for path in sorted(Path(__file__).parent.glob("*.py")):
        said = constants(path)
        if "CAPTION" in said:
            name = path.stem.replace("_", "-")
            command = f"snakemake --cores 1 results/figures/{name}.png"
            about = said.get("CLAIMS", ())
            found[name] = Described(said["CAPTION"], said["TABLES"], said["ALT"], command, about)
    return found


def draw(name: str, tables: Path, output: Path) -> None:
    """Draw figure `name` from a folder of tables into output.png and output.pdf.

    Both files say in words what they show. The bytes depend on the tables only. Raises ConfigError
    on an unknown name.
    """
    known = described()
    if name not in known:
        raise ConfigError(f"figure {name!r} is unknown; accepted are {', '.join(known)}")
    # Loaded by name, so that a figure depends on its own module and on no other figure.
    module = import_module(f"zerogap.replication.figures.{name.replace('-', '_')}")
    figure = module.draw(tables)
    said = known[name]
    told = " ".join(filter(None, (said.alt, figure.get_suptitle().replace("\n", " "))))
    png = {"Software": None, "Title": said.caption, "Description": told}
    pdf = {"CreationDate": None, "Title": said.caption, "Subject": told}
    for suffix, metadata in ((".png", png), (".pdf", pdf)):
        with replacing(output.with_name(output.name + suffix)) as temporary:
            figure.savefig(temporary, metadata=metadata)
