"""What it costs: the kept tables of the benchmarks, each under what its module says of it."""

import ast
import csv
from pathlib import Path

from zerogap.replication.pages.markdown import plain
from zerogap.replication.pages.markup import wide


def page(repository: Path, sections: list[str]) -> str:
    """The Markdown of the page: sections of README, then every kept table and picture."""
    kept = repository / "results/reference/benchmarks"
    lines = ["# What it costs, and how far one gets\n", *sections, "## Every measurement\n"]
    lines.append(
        "What `make bench` wrote on one machine, kept in `results/reference/benchmarks`. Empty: "
        "not measured.\n"
    )
    for path in sorted(kept.glob("*.csv")):
        source = repository / f"benchmarks/{path.stem}.py"
        said = ast.get_docstring(ast.parse(source.read_text(encoding="utf-8"))) or ""
        with path.open(encoding="utf-8", newline="") as file:
            heads, *rows = csv.reader(file)
        lines += [f"### `{path.name}`\n", f"{plain(said.splitlines()[0])}\n", wide(heads, rows)]
    for path in sorted(kept.glob("*.png")):
        name = path.relative_to(repository).as_posix()
        lines.append(f"![{path.stem}: drawn from these tables](../{name})\n")
    return "\n".join(lines)
