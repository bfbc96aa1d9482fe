"""Files are whole or absent, and damage to them is noticed."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zerogap.model.errors import DataError
from zerogap.model.files import replacing
from zerogap.replication.records import read_batch, read_json, write_batch, write_json
from zerogap.replication.sealed import require_intact
from zerogap.replication.tables import depth


@dataclass
class Thing:
    """A record like those of the stages."""

    name: str
    X: np.ndarray


THINGS = [Thing("a", np.arange(6.0).reshape(2, 3)), Thing("b", np.eye(2))]


def table(path: Path) -> None:
    depth.write([{"id": "a", "d": 2, "n": 3, "kind": "random"}], {}, path)


WRITERS: dict[str, tuple[str, Callable[[Path], object]]] = {
    "primal/s/0.npz": ("train", lambda path: write_batch(path, THINGS, "train")),
    "gaps/s/0.json": ("certify", lambda path: write_json(path, [1, 2], "certify")),
    "tables/depth.csv": ("depth-table", table),
}


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("damage", ["truncated", "flipped", "emptied", "longer"])
def test_damage_is_noticed_the_stage_named_and_the_file_set_aside(
    name: str, damage: str, tmp_path: Path
) -> None:
    path = tmp_path / "results" / name
    stage, write = WRITERS[name]
    write(path)
    require_intact(path)
    content = path.read_bytes()
    half = len(content) // 2
    path.write_bytes(
        {
            "truncated": content[:half],
            "flipped": content[:half] + bytes([content[half] ^ 1]) + content[half + 1 :],
            "emptied": b"",
            "longer": content + b"\n",
        }[damage]
    )
    with pytest.raises(DataError, match=f"the stage {stage} makes it again"):
        require_intact(path)
    assert not path.exists()
    assert path.with_name(f"{path.name}.damaged").exists()
    write(path)
    require_intact(path)
    assert path.read_bytes() == content


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_batches_without_a_seal_are_read_whole_or_refused(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("batch") / "0.npz"
    write_batch(path, THINGS, "train")
    whole = read_batch(path, Thing)
    (path.parent / ".0.npz.sha256").unlink()
    content = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    try:
        read = read_batch(path, Thing)
    except DataError as error:
        assert "\n" not in str(error)
        return
    assert str(read) == str(whole)


def test_a_copy_without_its_seal_is_read(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", [1], "verify")
    (tmp_path / "b.json").write_bytes((tmp_path / "a.json").read_bytes())
    assert read_json(tmp_path / "b.json") == [1]


def test_a_block_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("before")
    with pytest.raises(ZeroDivisionError), replacing(path) as temporary:
        temporary.write_text("half")
        1 / 0  # noqa: B018
    assert path.read_text() == "before"
    assert [file.name for file in tmp_path.iterdir()] == ["a.txt"]


def test_what_killed_processes_left_is_removed_in_time(tmp_path: Path) -> None:
    old, fresh = (tmp_path / f".a.txt.{name}.tmp.txt" for name in ("old", "fresh"))
    for file in (old, fresh):
        file.write_text("half")
    before = time.time() - 7200
    os.utime(old, (before, before))
    with replacing(tmp_path / "a.txt") as temporary:
        temporary.write_text("whole")
    assert {file.name for file in tmp_path.iterdir()} == {"a.txt", fresh.name}
