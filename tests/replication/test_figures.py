"""What figures conclude, computed from small tables made by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
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


def test_ranks_are_told_in_runs() -> None:
    assert whitened.ranks_of("[2, 2, 2, 2, 3]") == "2⁴3"
    assert whitened.ranks_of("[3, 3, 3]") == "3³"


@pytest.mark.parametrize("depth", range(2, 9))
def test_the_gap_of_balanced_classes_lies_in_its_bracket(depth: int) -> None:
    """Theorem 4: 2^{(L−2)/2} below; for two classes that is the gap, and K^{(L−2)/2} above."""
    for classes in (2, 3, 5):
        below, above = whitened.bracket(classes, depth)
        assert below == pytest.approx(1 - 2 ** (2 / depth - 1), abs=1e-12)
        assert below <= above + 1e-12
        assert above <= 1 - classes ** (2 / depth - 1) + 1e-12
    assert whitened.bracket(2, depth)[1] == pytest.approx(1 - 2 ** (2 / depth - 1), abs=1e-12)
    beaten = whitened.bracket(3, depth)[1] < 1 - 3 ** (2 / depth - 1) - 1e-6
    assert beaten == (depth >= 5)


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
    (axes,) = drawn("relu-depth", written(tmp_path, details=given)).axes
    named = [label.get_text() for label in axes.get_yticklabels()]
    assert named == ["1 other data set", "$n=5,\\ d=2$, no. 1"]
    marks = np.concatenate([np.ma.getdata(dots.get_offsets()) for dots in axes.collections[:3]])
    assert marks == pytest.approx(np.array([[1.0, 0.0], [0.8, 1.0], [0.7, 1.0]]))
    (axes,) = drawn("relu-depth", written(tmp_path, details=given[:2])).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["1 data set"]
    assert axes.get_xlim() == (0.95, 1.03)


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


def test_a_curve_begins_at_the_first_step_and_ends_on_what_is_proved(tmp_path: Path) -> None:
    setting, start, _ = training.SHOWN[0]
    name = {"setting": setting, "instance": f"{start}-b"}
    record = {"dual": 1.0, "dual_upper": 1.0, "primal_lower": 2.0, "trained": 2.0}
    details = name | record | {"proved_verdict": "positive"}
    curves = [
        name | {"step": step, "value": value, "median": half, "upper": most}
        for step, value, half, most in ((0, 9.0, 9.5, None), (1, 4.0, 5.0, None), (9, 2.0, 4, 5))
    ]
    folder = written(tmp_path, details=(details,), curves=tuple(curves))
    axes = drawn("training", folder).axes[0]
    best, half, least = axes.lines
    assert np.asarray(best.get_xydata()).tolist() == [[1.0, 0.75], [9.0, 0.5]]
    assert np.asarray(half.get_ydata()).tolist() == [0.8, 0.75]
    assert list(np.asarray(least.get_ydata())) == [0.5, 0.5]


def cell(**found: Any) -> pd.Series:
    given = {"zero": 0, "positive": 0, "open": 0, "worst_relative_gap": 1e-9, "condition": None}
    count = sum(found.get(kind, 0) for kind in ("zero", "positive", "open"))
    return pd.Series(given | {"instances": count, "certified": count} | found, dtype=object)


def test_a_cell_of_table_1_says_one_thing() -> None:
    assert table1.message(cell()) == ("not run", "")
    assert table1.message(cell(zero=3)) == ("no gap", "all 3 zero, at most 1e-09")
    assert table1.message(cell(zero=1))[1] == "1 zero, at most 1e-09"
    mixed = cell(zero=1, positive=2, worst_relative_gap=0.37, condition="positive if so")
    assert table1.message(mixed) == ("gap", "1 zero, 2 positive, up to 37% of P\npositive if so")
    left = cell(zero=2, open=1, worst_relative_gap=0.00198, certified=2)
    said = "2 zero, 1 open, at most 2e-03\n1 not certified"
    assert table1.message(left) == ("no gap where decided", said)


def test_zero_positive_and_open_differ_in_grey_whatever_the_size_of_a_gap() -> None:
    zero, open_ = table1.shade(cell(zero=1)), table1.shade(cell(open=1))
    assert table1.contrast(zero, open_) > 1.3
    for gap in (1e-6, 0.3, 0.99):
        positive = table1.shade(cell(positive=1, open=1, worst_relative_gap=gap))
        assert min(table1.contrast(positive, other) for other in (zero, open_)) > 1.1


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
