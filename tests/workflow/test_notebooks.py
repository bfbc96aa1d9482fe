"""The notebooks as they are stored: sources only, readable without running, tied to no machine."""

import re
from pathlib import Path

import nbformat
import pytest

from zerogap.replication.claims import CLAIMS

FOLDER = Path(__file__).resolve().parents[2] / "workflow" / "notebooks"
NAMES = ("table1", "rank_one", "inside", "audit")


def read(name: str) -> nbformat.NotebookNode:
    return nbformat.read(FOLDER / f"{name}.ipynb", as_version=nbformat.NO_CONVERT)


def test_the_folder_holds_the_notebooks_and_nothing_else() -> None:
    assert {path.name for path in FOLDER.iterdir() if path.is_file()} == {
        f"{name}.ipynb" for name in NAMES
    }


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_is_valid_and_stored_without_outputs(name: str) -> None:
    notebook = read(name)
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name == "python3"
    for position, cell in enumerate(notebook.cells):
        assert cell.id == f"{name.replace('_', '-')}-{position:02d}"
        if cell.cell_type == "code":
            assert cell.outputs == [] and cell.execution_count is None, cell.id


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_names_no_absolute_path(name: str) -> None:
    for cell in read(name).cells:
        if cell.cell_type == "code":
            assert not re.search(r"""["'](/|~|[A-Za-z]:[\\/])\w""", cell.source), cell.id
        assert not re.search(r"/(home|root|tmp|work|Users)/", cell.source), cell.id


@pytest.mark.parametrize("name", NAMES)
def test_every_code_cell_compiles_and_prose_leads_into_the_code(name: str) -> None:
    cells = read(name).cells
    assert cells[0].cell_type == "markdown" and cells[0].source.startswith("# ")
    for cell in cells:
        if cell.cell_type == "code":
            compile(cell.source, cell.id, "exec")


def test_table1_shows_claims_of_the_registry_once_each_and_in_order() -> None:
    source = "\n".join(c.source for c in read("table1").cells if c.cell_type == "code")
    shown = re.findall(r'^claim\("([\w-]+)"\)$', source, re.M)
    assert shown == [claim.id for claim in CLAIMS if claim.id in shown]
    assert len(shown) > 10
