"""Configuration, checked before anything runs, and what each stage depends on."""

import ast
import sys
from functools import cache
from pathlib import Path

from zerogap.replication.config import check_source, load
from zerogap.model.errors import ZerogapError

PACKAGE = Path(workflow.basedir) / "src" / "zerogap"

# --configfile adds to the default file; a selection in it must not mix with that of the default.
try:
    for source in workflow.configfiles:
        check_source(Path(source))
    CONFIG = load(
        config, Path(workflow.basedir) / "workflow/schemas/config.schema.json"
    )
except ZerogapError as error:
    print(f"config: {error}", file=sys.stderr)
    sys.exit(2)

BATCHES = [(s, b) for s in CONFIG.slices for b in CONFIG.batches(s)]


wildcard_constraints:
    setting=r"[a-z0-9-]+",
    batch=r"\d+",


def batch_files(pattern):
    """One file per batch of every chosen setting."""
    return [pattern.format(setting=s, batch=b) for s, b in BATCHES]


def growing(amount):
    """A resource of a job that grows with every attempt at it."""
    return lambda wildcards, attempt: amount * attempt


@cache
def _imports(path):
    """Modules of the package that a module imports, at its top or inside functions."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{a.name}" for a in node.names)]
        elif isinstance(node, ast.Import):
            names = [a.name for a in node.names]
        for name in names:
            if name.startswith("zerogap."):
                base = PACKAGE.joinpath(*name.split(".")[1:])
                found |= {
                    p
                    for p in (base.with_suffix(".py"), base / "__init__.py")
                    if p.is_file()
                }
    return frozenset(found)


def modules(*entries):
    """The package files that these modules import, directly or not: what a stage depends on."""
    todo = [PACKAGE / entry for entry in entries]
    seen = set()
    while todo:
        path = todo.pop()
        if path not in seen:
            seen.add(path)
            todo.extend(_imports(path))
    return sorted(str(p.relative_to(workflow.basedir)) for p in seen)
