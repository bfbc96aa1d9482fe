"""The notebooks as they are stored: sources only, readable without running, tied to no machine."""

import re
from pathlib import Path

import nbformat
import pytest

from zerogap.model.errors import DataError
from zerogap.replication.claims import CLAIMS
from zerogap.replication.notebooks import Absent, results
from zerogap.replication.pages.formulas import mathml
from zerogap.replication.pages.markdown import plain
from zerogap.replication.pages.notebook import Offline

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


@pytest.mark.parametrize("name", NAMES)
def test_html_shows_every_formula_and_loads_nothing(name: str) -> None:
    notebook = read(name)
    prose = "\n".join(c.source for c in notebook.cells if c.cell_type == "markdown")
    formulas = re.findall(r"\$\$.+?\$\$|\$.+?\$", prose, re.S)
    html, _ = Offline().from_notebook_node(notebook)
    assert html.count("<math ") == len(formulas) > 0
    assert html.count('display="block"') == prose.count("$$") / 2
    assert not re.search(r"<script|<link|<iframe|\bsrc=.https?:|@import|url\(.?https?:", html)


def test_marks_of_markdown_in_a_claim_are_shown_as_they_are() -> None:
    said = "m* of KN + 1; m* <b> `x_1` [a](b) | $5$"
    cell = nbformat.v4.new_markdown_cell(f"**{plain(said)}**")
    html, _ = Offline().from_notebook_node(nbformat.v4.new_notebook(cells=[cell]))
    (shown,) = re.findall(r"<p><strong>(.*)</strong></p>", html)
    assert shown == said.replace("<", "&lt;").replace(">", "&gt;")


def test_double_letters_are_letters_and_an_unknown_command_is_named() -> None:
    assert ">ℝ<" in mathml(r"\mathbb R^n")
    with pytest.raises(DataError, match=r"no MathML is known for \\nothing"):
        mathml(r"x + \nothing")


def test_results_are_found_from_every_folder_of_a_checkout_or_said_to_be_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ZEROGAP_RESULTS", raising=False)
    deep = tmp_path / "repository/a/b"
    deep.mkdir(parents=True)
    monkeypatch.chdir(deep)
    with pytest.raises(Absent, match="is not in a checkout"):
        results("tables/gaps.csv")
    (tmp_path / "repository/workflow").mkdir()
    (tmp_path / "repository/workflow/Snakefile").touch()
    with pytest.raises(Absent, match=r"gaps\.csv does not exist; `make` at") as raised:
        results("tables/gaps.csv")
    # One line is what Jupyter shows of it.
    assert raised.value._render_traceback_() == [str(raised.value)]
    for folder in ("results", "results/mine"):
        table = tmp_path / "repository" / folder / "tables/gaps.csv"
        table.parent.mkdir(parents=True)
        table.touch()
        assert results("tables/gaps.csv") / "tables/gaps.csv" == table
        monkeypatch.setenv("ZEROGAP_RESULTS", "results/mine")


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_asks_for_what_it_reads_before_anything_else(name: str) -> None:
    first = next(c.source for c in read(name).cells if c.cell_type == "code")
    assert re.search(r"^\w+ = results\(", first, re.M)
