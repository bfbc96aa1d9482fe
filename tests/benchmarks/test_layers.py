"""A row says what was proved of more than two layers."""

from benchmarks.layers import COLUMNS, QUICK, rows


def test_a_row_says_what_was_proved_of_three_layers() -> None:
    (row,) = rows(QUICK[:1])
    assert row["certified"] and row["reason"] == ""
    assert row["width"] <= 1e-2
    assert row["dual"] <= row["primal"]
    assert list(row) == COLUMNS
