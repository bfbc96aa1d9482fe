"""The paper: how it prints numbers, and that it says nothing of what a run did not compute."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import typst

from zerogap.replication.figures import depth_study, described, draw
from zerogap.replication.stages import paper
from zerogap.replication.studies import depth
from zerogap.replication.tables.frames import COLUMNS

ROOT = Path(__file__).resolve().parents[2]


# --- numbers --------------------------------------------------------------------------------------


def printed(expression: str, folder: Path) -> Any:
    """What an expression of the paper's format gives."""
    source = folder / "source.typ"
    (folder / "paper").mkdir()
    (folder / "paper/format.typ").write_text((ROOT / "paper/format.typ").read_text())
    source.write_text(f'#import "/paper/format.typ": *\n#metadata({expression}) <it>')
    return json.loads(typst.query(str(source), "<it>", field="value", one=True, root=str(folder)))


NUMBERS = {
    'fixed("0.6589743")': "0.6590",
    "fixed(3)": "3.0000",
    "fixed(254.187, digits: 0)": "254",
    "fixed(0.99996)": "1.0000",
    "down(2.3811015779, digits: 6)": "2.381101",
    "up(2.3811015779)": "2.3812",
    "up(3.0000000000000004)": "3.0001",
    "up(3)": "3.0000",
    "down(2.9999999999999996)": "2.9999",
    "down(0.1 + 0.2, digits: 1)": "0.3",
    "percent(0.028022, digits: 2, how: down)": "2.80\N{NO-BREAK SPACE}%",
    "percent(0.01)": "1.0\N{NO-BREAK SPACE}%",
    'many(1, "problem")': "1\N{NO-BREAK SPACE}problem",
    'many(0, "stays", more: "stay")': "0\N{NO-BREAK SPACE}stay",
    "parts(9.81e-11)": [9.8, -11],
    "parts(9.96e-8)": [1.0, -7],
    "parts(4.11e-6, how: _ceil)": [4.2, -6],
}


@pytest.mark.parametrize(("expression", "text"), NUMBERS.items())
def test_numbers_keep_their_digits_and_bounds_are_rounded_outward(
    expression: str, text: Any, tmp_path: Path
) -> None:
    assert printed(expression, tmp_path) == text


# --- what is missing ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def nothing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository's paper with the results and figures of a run that computed nothing."""
    repository = tmp_path_factory.mktemp("nothing")
    for part in ("paper", "results/reference/benchmarks"):
        for file in (ROOT / part).iterdir():
            if file.is_file():
                (repository / part).mkdir(parents=True, exist_ok=True)
                (repository / part / file.name).write_bytes(file.read_bytes())
    folder = repository / "results/mine"
    (folder / "tables").mkdir(parents=True)
    (folder / "figures").mkdir()
    for name in COLUMNS:
        table(folder, name)
    drawn(folder)
    provenance = {
        "config": {"claims": [], "name": "mine", "tolerance": 1e-6},
        "registry": {"claims": 14, "problems": 516},
        "packages": {"zerogap": "0", "torch": "0", "clarabel": "0"},
        "python": "3",
        "commit": None,
    }
    (folder / "provenance.json").write_text(json.dumps(provenance))
    return repository


@pytest.fixture
def results(nothing: Path, tmp_path: Path) -> Path:
    """Results of its own, of nothing so far, for every test."""
    shutil.copytree(nothing, tmp_path, dirs_exist_ok=True)
    return tmp_path / "results/mine"


def table(folder: Path, name: str, *rows: dict[str, Any]) -> None:
    """A table with these rows."""
    frame = pd.DataFrame(rows, columns=COLUMNS[name]).astype(object)
    frame.to_csv(folder / "tables" / name, index=False)


def drawn(folder: Path, changed: str | None = None) -> None:
    """The figures, or those that read a changed table."""
    for name, figure in described().items():
        if changed is None or changed in figure.tables:
            draw(name, folder / "tables", folder / "figures" / name)


def asked(folder: Path, selector: str, field: str) -> list[Any]:
    """What the paper of a run has under a selector."""
    found = typst.query(
        str(folder.parents[1] / "paper/replication.typ"), selector, field=field,
        root=str(folder.parents[1]), sys_inputs={"results": "/results/mine"},
    )  # fmt: skip
    return json.loads(found)


def test_a_run_without_a_result_makes_a_paper_without_its_pictures(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The scoreboard; Table 1, measured; what is kept of the benchmarks: three tables and a picture.
    made = sorted(asked(results, "figure", "kind"))
    assert made == ["image"] * 2 + ["scoreboard"] + ["table"] * 3
    monkeypatch.chdir(results.parents[1])
    paper.run(Path("paper/replication.typ"), Path("results/mine"), Path("results/mine/paper.pdf"))
    assert (results / "paper.pdf").read_bytes()[:4] == b"%PDF"


def test_a_picture_is_shown_where_a_run_has_its_data(results: Path) -> None:
    branches = {"setting": "branches", "activation": "relu", "depth": 2, "dual": 1.0}
    rows = [
        branches | {"instance": f"m{m}", "data": "a", "branches_allowed": m, "primal": 2.0}
        for m in (1, 2)
    ]
    table(results, "details.csv", *rows)
    drawn(results, "details.csv")
    assert len(asked(results, "figure", "kind")) == 7


def test_every_picture_says_in_words_what_it_shows(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {}
    monkeypatch.setattr("typst.compile", lambda *_, **options: given.update(options))
    with pytest.raises(FileNotFoundError):  # nothing is written
        paper.run(Path("replication.typ"), Path("results/mine"), results / "paper.pdf")
    inputs = given["sys_inputs"] | {"results": "/results/mine"}
    found = typst.query(
        str(results.parents[1] / "paper/replication.typ"), "image", field="alt",
        root=str(results.parents[1]), sys_inputs=inputs,
    )  # fmt: skip
    assert described()["table1"].alt in json.loads(found)


def test_trained_networks_are_spoken_of_where_some_are_certified(results: Path) -> None:
    row = {"problem": "iris", "network": "adam-long-10", "depth": 2, "width": 10, "lower": 1.0}
    row |= {"best": 1.01, "relative_gap": 0.02, "excess": 0.01, "certified": False}
    table(results, "audits.csv", row)
    drawn(results, "audits.csv")
    assert len(asked(results, "figure", "kind")) == 6
    table(results, "audits.csv", row, row | {"certified": True})
    drawn(results, "audits.csv")
    assert len(asked(results, "figure", "kind")) == 7
    assert "How far trained networks are" in str(asked(results, "heading", "body"))


@pytest.mark.parametrize(
    ("claims", "problems", "partial"), [(2, 3, True), (2, 4, False), (2, 5, False), (1, 4, True)]
)
def test_a_run_of_less_than_the_registry_is_called_partial(
    claims: int, problems: int, partial: bool, results: Path
) -> None:
    """Of two claims and four problems; problems of own data count for nothing."""
    path = results / "provenance.json"
    made_by = json.loads(path.read_text()) | {"registry": {"claims": 2, "problems": 4}}
    path.write_text(json.dumps(made_by))
    row = {"statement": "So.", "verdict": "replicated", "evidence": "all", "instances": 1}
    table(results, "claims.csv", *(row | {"claim": f"claim-{c}"} for c in range(claims)))
    solved = [{"claim": "claim-0"}] * problems + [{"claim": "own-data"}] * 9
    table(results, "gaps.csv", *(one | {"verdict": "zero", "certified": True} for one in solved))
    assert asked(results, "<partial>", "value") == [partial]


def test_the_study_the_figure_and_the_paper_agree_on_what_is_no_difference() -> None:
    (same,) = re.findall(r"^#let same = (\S+)$", (ROOT / "paper/replication.typ").read_text(), re.M)
    assert float(same) == depth.DIFFERS == depth_study.FLOOR
