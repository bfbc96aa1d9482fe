"""Tables as people have them."""

from pathlib import Path

import numpy as np
import pytest

from zerogap.model.data import read_file, standardized
from zerogap.model.errors import DataError


def table(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "data.csv"
    path.write_text(text)
    return path


@pytest.mark.parametrize(("parted", "point"), [(",", "."), (";", ","), ("\t", ",")])
def test_columns_are_parted_by_commas_semicolons_or_tabs(
    tmp_path: Path, parted: str, point: str
) -> None:
    rows = [["a", "b", "y"], [f"1{point}5", "2", "3"], ["4", "5", f"6{point}25"]]
    X, Y = read_file(table(tmp_path, "".join(parted.join(row) + "\n" for row in rows)), ["y"])
    assert X.tolist() == [[1.5, 2], [4, 5]]
    assert Y.tolist() == [[3], [6.25]]


def test_classes_become_one_hot_in_sorted_order(tmp_path: Path) -> None:
    path = table(tmp_path, "a,kind\n1,red\n2,blue\n3,red\n4,green\n")
    X, Y = read_file(path, ["kind"])
    assert X.tolist() == [[1], [2], [3], [4]]
    assert Y.tolist() == [[0, 0, 1], [1, 0, 0], [0, 0, 1], [0, 1, 0]]


def test_dropped_columns_may_hold_anything(tmp_path: Path) -> None:
    path = table(tmp_path, "id,a,y\nx,1,2\n,3,4\n")
    with pytest.raises(DataError, match="line 3, column 'id' is missing"):
        read_file(path, ["y"])
    assert read_file(path, ["y"], ["id"])[0].tolist() == [[1], [3]]


def test_standardized_columns_are_centred_and_vary() -> None:
    rng = np.random.default_rng(0)
    X = standardized(np.hstack([5 + 3 * rng.normal(size=(20, 2)), np.full((20, 1), 7.0)]))
    assert X.shape == (20, 2)
    assert np.allclose(X.mean(axis=0), 0)
    assert np.allclose(X.std(axis=0), 1)
    with pytest.raises(DataError, match="constant"):
        standardized(np.ones((3, 2)))
