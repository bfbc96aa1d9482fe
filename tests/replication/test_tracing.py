"""What a module loads, read off its imports, and literals read without running a module.

That stages load just that is in tests/workflow/test_smoke.py.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from zerogap.replication import tracing

SOURCES = {
    "__init__.py": "_HOMES = {'solve': 'deep.solver.solve'}\n",
    "a.py": "from zerogap.b import thing\nimport json\n",
    "b.py": """
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    import zerogap.only_types
try:
    import zerogap.tried
except ImportError:
    pass
if len("x"):
    from zerogap.deep import inner
def thing():
    import zerogap.lazy
""",
    "only_types.py": "",
    "tried.py": "",
    "lazy.py": "",
    "deep/__init__.py": "import zerogap.deep.around\n",
    "deep/around.py": "",
    "deep/inner.py": "import zerogap.a\n",
    "deep/solver.py": "NAMES = ('x', 'y')\nTOTAL: dict = {'a': 1}\nCOMPUTED = len('x')\n",
}


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "zerogap"
    for name, text in SOURCES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.setattr(tracing, "PACKAGE", folder)
    return folder


def named(package: Path, *modules: str) -> set[str]:
    return {str(path.relative_to(package)) for path in tracing.loaded(*modules)}


def test_what_is_loaded_are_imports_that_run_and_the_packages_around_them(package: Path) -> None:
    expected = {"__init__.py", "a.py", "b.py", "tried.py", "deep/__init__.py"}
    assert named(package, "zerogap.a") == expected | {"deep/around.py", "deep/inner.py"}
    assert named(package, "zerogap.lazy") == {"__init__.py", "lazy.py"}


def test_a_module_that_is_not_there_is_an_error(package: Path) -> None:
    with pytest.raises(ModuleNotFoundError, match=r"zerogap\.c is no module of zerogap"):
        tracing.loaded("zerogap.c")


def test_constants_are_literals_only(package: Path) -> None:
    found = tracing.constants(package / "deep/solver.py")
    assert found == {"NAMES": ("x", "y"), "TOTAL": {"a": 1}}


def test_a_notebook_depends_on_the_homes_of_the_public_names_that_it_uses(package: Path) -> None:
    cells = [
        {"cell_type": "markdown", "source": ["import nothing"]},
        {"cell_type": "code", "source": ["from zerogap import solve\n", "import zerogap.tried"]},
    ]
    path = package / "look.ipynb"
    path.write_text(json.dumps({"cells": cells}))
    assert tracing.notebook_imports(path) == ["deep.solver", "tried"]
