"""Which modules of the package a module loads: what a stage depends on, read off its own imports.

Only imports that are executed when a module loads count: those at its top level, and those of the
packages around it. What a function imports when it is called is not loaded by those who never call
it, and imports for type checkers are never executed. So the inputs of a stage are exactly what its
process loads (tests/workflow/test_smoke.py compares the two).
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).resolve().parents[1]


def loaded(*modules: str) -> list[Path]:
    """The files that importing these modules executes, sorted; modules by name, as `zerogap.cli`.

    Raises ModuleNotFoundError on a name that is no module of the package.
    """
    for name in modules:
        if _file(name) is None:
            raise ModuleNotFoundError(f"{name} is no module of {PACKAGE.name}")
    todo, files = [path for name in modules for path in _around(name)], set[Path]()
    while todo:
        path = todo.pop()
        if path not in files:
            files.add(path)
            todo += _imports(path)
    return sorted(files)


def constants(path: Path) -> dict[str, Any]:
    """The literals that a module assigns to names in capitals at its top, without running it."""
    found = {}
    for node in _tree(path).body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
            if isinstance(target, ast.Name) and target.id.isupper():
                with suppress(ValueError):
                    found[target.id] = ast.literal_eval(node.value)
    return found


def notebook_imports(path: Path) -> list[str]:
    """The modules of the package that the cells of a notebook import, without its own name."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    code = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "code")
    names = {name for name in _named(ast.parse(code).body) if _file(name) is not None}
    return sorted(name.removeprefix(f"{PACKAGE.name}.") for name in names - {PACKAGE.name})


def _file(module: str) -> Path | None:
    head, *rest = module.split(".")
    base = PACKAGE.joinpath(*rest)
    candidates = (
        (base.with_suffix(".py"), base / "__init__.py") if rest else (base / "__init__.py",)
    )
    return next((path for path in candidates if head == PACKAGE.name and path.is_file()), None)


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _around(name: str) -> Iterator[Path]:
    """The file of a module and those of the packages around it.

    `from package import name` may name a function: then there is no file of that name.
    """
    parts = name.split(".")
    for end in range(1, len(parts) + 1):
        path = _file(".".join(parts[:end]))
        if path is not None:
            yield path


@cache
def _imports(path: Path) -> frozenset[Path]:
    names = _named(_executed(_tree(path).body))
    return frozenset(file for name in names for file in _around(name))


def _named(statements: Iterable[ast.stmt]) -> set[str]:
    """What import statements name of the package: modules, and what may be modules."""
    found = set()
    # A public name of the package stands for the module that it is loaded from.
    homes = constants(PACKAGE / "__init__.py")["_HOMES"]
    for node in statements:
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    own = {name for name in found if name.split(".")[0] == PACKAGE.name}
    public = {name.partition(".")[2] for name in own} & homes.keys()
    return own | {f"{PACKAGE.name}.{homes[name].rpartition('.')[0]}" for name in public}


def _executed(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements that run when a module is loaded, those inside `if` and `try` included."""
    for node in body:
        yield node
        if isinstance(node, ast.If) and ast.unparse(node.test) != "TYPE_CHECKING":
            yield from _executed([*node.body, *node.orelse])
        elif isinstance(node, ast.Try):
            yield from _executed([*node.body, *node.orelse, *node.finalbody])
