"""The 36 worked instances of the theory, through the public API."""

import json
from pathlib import Path

import numpy as np
import pytest

from zerogap import Problem, solve, verify

CASES = json.loads((Path(__file__).parent / "reference/cases.json").read_text())


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_a_reference_case_is_met_within_its_accuracy_and_certified(case: dict) -> None:
    problem = Problem(
        np.array(case["X"]),
        np.array(case["Y"]),
        activation=case["activation"],
        architecture=case["architecture"],
        depth=case["depth"],
        regularizer=case["regularizer"],
        beta=case["beta"],
    )
    bounds = solve(problem, restarts=0)
    if case["dual"] is not None:
        assert bounds.dual == pytest.approx(case["dual"], rel=case["rtol"])
    if case["primal"] is not None:
        assert bounds.primal == pytest.approx(case["primal"], rel=case["rtol"])
    assert bounds.primal >= bounds.dual * (1 - 1e-9)
    proved = verify(bounds.certificate)
    assert proved.accepted, proved.reason
    assert proved.status == bounds.status
