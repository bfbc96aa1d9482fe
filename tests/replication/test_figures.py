"""What figures conclude, computed from small tables made by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from matplotlib.figure import Figure

from zerogap.replication.figures import (
    audits,
    branches,
    depth_study,
    described,
    linear_depth,
    rank_one,
    relu_depth,
    style,
    table1,
    training,
    whitened,
)
from zerogap.replication.tables.frames import COLUMNS

Row = dict[str, Any]


def rows(name: str, *given: Row) -> pd.DataFrame:
    return pd.DataFrame(given, columns=COLUMNS[name])


def written(folder: Path, **tables: tuple[Row, ...]) -> Path:
    """A folder with all tables, these rows in some of them."""
    for name in COLUMNS:
        if name.endswith(".csv"):
            given = tables.get(name.removesuffix(".csv"), ())
            rows(name, *given).astype(object).to_csv(folder / name, index=False)
    return folder


def drawn(name: str, folder: Path) -> Figure:
    from importlib import import_module

    module = import_module(f"zerogap.replication.figures.{name.replace('-', '_')}")
    return module.draw(folder)


@pytest.mark.parametrize("name", described())
def test_no_conclusion_stands_over_missing_panels(name: str, tmp_path: Path) -> None:
    figure = drawn(name, written(tmp_path))
    assert figure.get_suptitle() == ""
    assert not any(axes.get_title() for axes in figure.axes)
    assert any("not in this run" in text.get_text() for a in figure.axes for text in a.texts)


@pytest.mark.parametrize("name", described())
def test_every_figure_is_as_wide_as_the_paper_prints_it(name: str, tmp_path: Path) -> None:
    assert drawn(name, written(tmp_path)).get_figwidth() == style.WIDTH


# --- the depth study ------------------------------------------------------------------------------


def studied(upper: float, lower: float = -1e-9, certified: bool = False) -> Row:
    return {
        "d": 2, "n": 6, "kind": "random", "relative_lower": lower, "relative_upper": upper,
        "certified": certified,
    }  # fmt: skip


def test_a_data_set_that_nothing_decides_is_not_called_equal() -> None:
    frame = rows(
        "depth.csv", studied(0.02, 0.01, certified=True), studied(6.7e-4), studied(3e-8),
        studied(1e-6),
    )  # fmt: skip
    found = depth_study.outcomes(frame)
    assert found["outcome"].tolist() == ["differs", "undecided", "equal", "equal"]
    assert found["height"].tolist() == [0.01, 6.7e-4, 1e-6, 1e-6]
    assert (
        depth_study.title(found) == "Four layers are below three on 1 of 4 data sets; 1 undecided"
    )
    assert depth_study.title(found[1:]) == "Four layers meet three on 2 of 3 data sets; 1 undecided"


# --- trained networks -----------------------------------------------------------------------------


def audited(objective: float, certified: bool = True) -> Row:
    return {
        "problem": "iris", "network": "adam-long-10", "depth": 2, "width": 10, "lower": 1.0,
        "best": 1.01, "objective": objective, "relative_gap": 1 - 1 / objective,
        "certified": certified,
    }  # fmt: skip


def test_half_of_the_networks_are_so_far_and_what_is_not_certified_is_left_out(
    tmp_path: Path,
) -> None:
    given = (audited(1.02), audited(1.0301), audited(1.5))
    figure = drawn("audits", written(tmp_path, audits=(*given, audited(9.0, certified=False))))
    said = "Half of 3 networks are at most 3.1 % above the best there is, half at least 1.9 %"
    assert figure.get_suptitle().replace("\n", " ") == said
    assert audits.title(rows("audits.csv", *given)) == said


# --- branches -------------------------------------------------------------------------------------


def allowed(m: int, primal: float, verdict: str, depth: int = 3) -> Row:
    return {
        "setting": "branches", "activation": "relu", "depth": depth, "branches_allowed": m,
        "primal": primal, "dual": 1.0, "proved_verdict": verdict,
    }  # fmt: skip


def test_more_branches_never_cost_more(tmp_path: Path) -> None:
    given = (allowed(5, 1.3, "open"), allowed(1, 2.0, "open"), allowed(4, 1.2, "open"))
    assert branches.best(rows("details.csv", *given)).tolist() == [2.0, 1.2, 1.2]
    one = drawn("branches", written(tmp_path, details=given))
    assert one.get_suptitle() == "Enough branches close the gap on 0 of 1 problems"
    two = (*given, allowed(7, 1.0, "zero"))
    closed = drawn("branches", written(tmp_path, details=two))
    assert closed.get_suptitle() == "Enough branches close the gap"
    assert any(r"m^* \leq 7" in axes.get_title() for axes in closed.axes)


# --- whitened data --------------------------------------------------------------------------------


def fitted(setting: str, primal: float, depth: int = 5, lower: float = 4.0) -> Row:
    return {
        "setting": setting, "sizes": "1-1-1", "depth": depth, "primal": primal, "dual": 3.8,
        "primal_lower": lower, "dual_upper": 3.8, "ranks": "[2, 2]",
    }  # fmt: skip


def test_a_problem_solved_in_two_settings_has_the_better_network() -> None:
    details = rows(
        "details.csv", fitted("relu-standard-whitened", 7.43, lower=4.4),
        fitted("whitened-orthogonal", 7.41), fitted("another", 1.0),
    )  # fmt: skip
    (found,) = whitened.best(details).to_dict("records")
    assert found["primal"] == 7.41
    assert found["gap"] == pytest.approx(1 - 3.8 / 7.41)
    assert found["proved"] == pytest.approx(1 - 3.8 / 4.4)
    assert found["orthogonal"] == pytest.approx(7.5)
    said = whitened.title(whitened.best(details))
    assert said.startswith("A gap is proved on 1 of 1 whitened problems")
    assert said.endswith("bottlenecks save up to 1.2%")


def test_no_proof_of_a_gap_is_no_gap_that_is_proved() -> None:
    unproved = fitted("whitened-orthogonal", 7.6) | {"primal_lower": None}
    said = whitened.title(whitened.best(rows("details.csv", unproved)))
    assert said == "A gap is proved on 0 of 1 whitened problems of three and more layers"


# --- the others -----------------------------------------------------------------------------------


def solved(data: str, depth: int, scaled: float, verdict: str = "zero") -> Row:
    setting = {2: "two-layer-relu", 3: "relu-parallel-3"}.get(depth, "relu-parallel")
    return {
        "setting": setting, "architecture": "parallel", "data": data, "depth": depth,
        "dual": scaled * depth / 2, "proved_verdict": verdict,
    }  # fmt: skip


def test_depth_helps_where_brackets_are_closed(tmp_path: Path) -> None:
    first, second = "gaussian-n4-d2-k1-0", "gaussian-n5-d2-k1-0"
    given = (
        solved(first, 2, 1.0), solved(first, 3, 1.0), solved(first, 4, 0.5, "open"),
        solved(second, 2, 1.0), solved(second, 3, 0.8), solved(second, 4, 0.7),
    )  # fmt: skip
    ratio = relu_depth.ratios(rows("details.csv", *given))
    said = "Three layers win over two on 1 of 2 data sets; more win over three on 1 of 1"
    assert relu_depth.title(ratio) == said
    labels = drawn("relu-depth", written(tmp_path, details=given)).axes[0].get_legend().get_texts()
    assert [text.get_text() for text in labels] == ["1 data set at 1", "$n=5,\\ d=2$, no. 1"]


def test_linear_networks_are_said_to_have_what_they_have() -> None:
    cell = pd.DataFrame(
        [
            {"spectrum": "distinct", "rank": rank, "depth": depth, "exact": gap}
            for rank, gaps in ((1, (0.0, 0.0)), (2, (0.1, 0.2)))
            for depth, gap in enumerate(gaps, start=3)
        ]
    )
    both = "Standard linear networks: no gap at rank one, a growing gap at rank two or more"
    assert linear_depth.title(cell) == both
    assert linear_depth.title(cell[cell["rank"] == 1]).endswith("no gap at rank one")
    shrinking = cell.assign(exact=-cell["exact"] + 1)
    assert linear_depth.title(shrinking) == "Standard linear networks"


def test_rank_one_verdicts_are_compared_with_theory() -> None:
    points = pd.DataFrame({"angle": [0, 45], "proved_verdict": ["zero", "positive"]})
    assert "a gap otherwise" in rank_one.title(points)
    assert rank_one.title(points.assign(proved_verdict="zero")) == "Rank-one data, three layers"
    assert rank_one.title(points[:1]) == "Rank-one data, three layers"


def test_training_is_said_to_end_where_it_ends() -> None:
    ends = pd.DataFrame(
        {
            "proved_verdict": ["zero", "zero", "positive"],
            "trained": [1.0005, 1.1, 2.0],
            "dual": [1.0, 1.0, 1.0],
        }
    )
    said = "Training ends on the dual bound on 1 of 2 without a gap, above it on 1 with one"
    assert training.title(ends) == said


def test_table_1_counts_gaps_from_three_layers_on() -> None:
    frame = pd.DataFrame(
        [("parallel", "3", 4, 0, 5), ("standard", "3", 1, 2, 3), ("standard", "2", 9, 0, 9)],
        columns=["architecture", "depth", "zero", "positive", "instances"],
    )
    said = "Gaps from three layers on: parallel 4 of 5 zero, standard 2 of 3 positive"
    assert table1.title(frame) == said


@pytest.mark.parametrize("shade", ["white", "black", "#a09976", "#7c7b78", "0.5", "#fde737"])
def test_text_on_a_shade_is_readable(shade: str) -> None:
    assert table1.contrast(shade, table1.ink(shade)) >= 4.5
