"""A small run, and the site that is made of it."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pytest

from tests.replication import small
from zerogap.replication.figures import draw
from zerogap.replication.pages.notebook import Offline
from zerogap.replication.stages import scoreboard, site, table1

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of a small run of one claim, with a figure and a notebook."""
    results = small.run(tmp_path_factory.mktemp("run") / "results")
    tables, notebooks = results / "tables", results / "notebooks"
    table1.run(tables)
    scoreboard.run(tables, 1e-6)
    draw("relu-depth", tables, results / "figures/relu-depth")
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_markdown_cell("# A small run\n\n$a^2$")]
    )
    notebooks.mkdir()
    nbformat.write(notebook, notebooks / "small.ipynb")
    (notebooks / "small.html").write_text(Offline().from_notebook_node(notebook)[0])
    made = {"commit": "abc123", "modified": False, "python": "3", "machine": "x", "packages": {}}
    (results / "provenance.json").write_text(json.dumps(made))
    # The site takes it over as it is; what is in it has tests of its own.
    (results / "explorer.html").write_text("<!doctype html><title>Explorer</title>")
    return results


@pytest.fixture(scope="session")
def built(run: Path) -> Path:
    """The site of the run."""
    site.run(ROOT, run, Path(""), run / "site")
    return run / "site"
