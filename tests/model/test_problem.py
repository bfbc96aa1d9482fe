"""Problems are validated on construction, each mistake with one line."""

import numpy as np
import pytest

from zerogap import Problem, ZerogapError
from zerogap.model.errors import InfeasibleError

X, Y = np.eye(3), np.ones((3, 1))
OPTIONS = {"activation": "relu", "architecture": "standard", "depth": 3}

BAD = [
    ({"depth": 1}, "depth is 1"),
    ({"depth": 2.5}, "depth is 2.5"),
    ({"depth": True}, "depth is True"),
    ({"activation": "tanh"}, "activation is 'tanh'; accepted is one of linear, relu"),
    ({"architecture": "resnet"}, "architecture is 'resnet'"),
    ({"regularizer": "l1"}, "regularizer is 'l1'"),
    ({"regularizer": "power"}, "takes 'weight_decay'"),
    ({"beta": 0}, "beta is 0"),
    ({"beta": -1.0}, "beta is -1.0"),
    ({"beta": float("nan")}, "beta is nan"),
    ({"beta": "small"}, "beta is 'small'"),
    ({"X": np.eye(4)}, "X has 4 rows and Y has 3"),
    ({"X": np.zeros((0, 2))}, "non-empty matrix"),
    ({"X": np.ones(3)}, "X has shape (3,)"),
    ({"X": np.eye(3) * np.nan}, "X[0, 0] is nan"),
    ({"Y": np.array([[1.0], [np.inf], [0]])}, "Y[1, 0] is inf"),
    ({"X": np.eye(3) * 1j}, "dtype complex128"),
    ({"X": np.array([["a"] * 3] * 3)}, "dtype"),
    ({"X": np.array([[object()] * 3] * 3)}, "dtype object"),
    ({"X": np.eye(3) * 1e200}, "rescale the data"),
    ({"Y": np.ones((3, 0))}, "non-empty matrix"),
    ({"X": [[1.0], [2.0, 3.0], [4.0]]}, "not a rectangular array"),
]


@pytest.mark.parametrize(("change", "said"), BAD, ids=[said for _, said in BAD])
def test_a_malformed_problem_is_refused_in_one_line(change: dict, said: str) -> None:
    given = {"X": X, "Y": Y, **OPTIONS, **change}
    with pytest.raises(ZerogapError) as raised:
        Problem(given.pop("X"), given.pop("Y"), **given)
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


def relu(X: list, Y: list, depth: int = 3, beta: float | None = None) -> Problem:
    return Problem(
        np.array(X, float),
        np.array(Y, float),
        activation="relu",
        architecture="standard",
        depth=depth,
        beta=beta,
    )


def test_relu_networks_without_biases_cannot_bend_along_a_ray() -> None:
    with pytest.raises(InfeasibleError, match="two rows of X point the same way"):
        relu([[1, 0], [2, 0]], [1, 3])
    assert relu([[1, 0], [2, 0]], [1, 2]).k == 1
    assert relu([[1, 0], [2, 0]], [1, 3], beta=0.1).beta == 0.1


def test_a_zero_row_must_have_a_zero_target() -> None:
    with pytest.raises(InfeasibleError, match="zero row"):
        relu([[0, 0], [1, 0]], [1, 0])


def test_two_layers_have_a_linear_odd_part_and_three_need_not() -> None:
    X = [[1, 0], [-1, 0], [0, 1], [0, -1], [1, 1], [-1, -1]]
    Y = [1, 0, 1, 0, 5, 0]
    with pytest.raises(InfeasibleError, match="f\\(x\\) − f\\(−x\\) linear"):
        relu(X, Y, depth=2)
    assert relu(X, Y, depth=3).depth == 3
    assert relu(X, [1, 0, 1, 0, 2, 0], depth=2).depth == 2


def test_linear_targets_must_lie_in_the_column_span() -> None:
    with pytest.raises(InfeasibleError, match="not in the column span"):
        Problem(
            np.array([[1.0], [1.0]]),
            np.array([1.0, 2.0]),
            activation="linear",
            architecture="standard",
            depth=2,
        )
