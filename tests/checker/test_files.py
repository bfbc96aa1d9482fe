"""Files as an attacker or a crash leaves them: each is named, and none costs another."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from tests.checker import worst
from tests.checker.examples import linear_certificate
from zerogap.checker import Verdict, workers
from zerogap.checker.files import Unreadable, scan
from zerogap.checker.workers import verify_files
from zerogap.cli import main

LINE = json.dumps(linear_certificate(2)) + "\n"


def said(folder: Path, capsys: pytest.CaptureFixture[str], *names: str) -> tuple[int, str, int]:
    """Exit code, what stderr says, and how many certificates were accepted."""
    code = main(["verify", *(str(folder / name) for name in names or ("",)), "--json"])
    out, err = capsys.readouterr()
    rows = json.loads(out)["certificates"] if out else []
    return code, err, sum(row["accepted"] for row in rows)


def named(text: str) -> str:
    certificate = json.loads(LINE)
    certificate["id"] = {"claim": text}
    return json.dumps(certificate) + "\n"


BAD: dict[str, tuple[bytes, int, str]] = {
    "nothing": (b"", 1, "there is no certificate"),
    "blank lines": (b"\n \n\t\n", 1, "there is no certificate"),
    "a million empty lines": (b"\n" * 10**6, 1, "there is no certificate"),
    "cut": (LINE[:-30].encode(), 2, "is not JSON"),
    "5,000 digits": (b'{"a": ' + b"9" * 5000 + b"}\n", 2, "is not JSON"),
    "nested brackets": (b"[" * 10**6, 2, "is not JSON"),
    "many brackets": ((b"[" * 900 + b"]" * 900 + b",") * 3000, 2, "entries accepted"),
    "a key twice": (LINE.replace('"epsilon"', '"version": 1, "epsilon"').encode(), 2, "twice"),
    "no text": (b"\xff\xfe\n", 2, "is not JSON"),
    "refused": (LINE.replace('"depth": 2', '"depth": 1').encode(), 1, "refused"),
}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_named_and_costs_no_other(
    name: str, packed: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content, code, reason = BAD[name]
    bad = tmp_path / ("a.jsonl.gz" if packed else "a.jsonl")
    bad.write_bytes(gzip.compress(content) if packed else content)
    alone = said(tmp_path, capsys, bad.name)
    assert alone[0] == code and reason in alone[1] and alone[2] == 0
    assert len(alone[1].splitlines()) == 1
    (tmp_path / "b.jsonl").write_text(LINE)
    found = said(tmp_path, capsys)
    assert found[2] == 1
    assert found[0] == (0 if reason == "there is no certificate" else code)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda at: (at / "x.jsonl").mkdir(), "not a file"),
        (lambda at: os.mkfifo(at / "x.jsonl"), "not a file"),
        (lambda at: (at / ".x.jsonl").write_text(LINE), "hidden"),
        (lambda at: (at / "x").symlink_to(at.parent, target_is_directory=True), "link"),
    ],
    ids=["a folder", "a pipe", "hidden", "a linked folder"],
)
def test_what_is_passed_over_is_named(
    make: Callable[[Path], None],
    reason: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    make(folder)
    code, err, accepted = said(tmp_path, capsys, "folder")
    assert (code, accepted) == (2, 0) and reason in err
    (folder / "y.jsonl").write_text(LINE)
    code, err, accepted = said(tmp_path, capsys, "folder")
    assert (code, accepted) == (0, 1) and reason in err


def test_a_pipe_that_is_named_is_not_waited_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    os.mkfifo(tmp_path / "x.jsonl")
    assert "it is not a file" in said(tmp_path, capsys, "x.jsonl")[1]


def test_upper_case_suffixes_and_linked_folders_that_are_named_are_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/A.JSONL").write_text(LINE)
    (tmp_path / "folder/B.JSONL.GZ").write_bytes(gzip.compress(LINE.encode()))
    (tmp_path / "link").symlink_to(tmp_path / "folder", target_is_directory=True)
    assert said(tmp_path, capsys, "link")[::2] == (0, 2)
    (tmp_path / "empty").mkdir()
    with pytest.raises(Unreadable, match="holds no"):
        scan([tmp_path / "empty"])


@pytest.mark.parametrize("text", ["\x1b[2J\x07", "\ud800", "\u202e", "x" * 10**5])
def test_an_id_does_nothing_to_a_terminal(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.jsonl").write_text(named(text))
    assert main(["verify", str(tmp_path), "--each"]) == 0
    out, err = capsys.readouterr()
    assert all(c.isprintable() or c == "\n" for c in out + err)
    assert len(out) < 2000


def dying(pipe: Connection, memory: int) -> None:
    """A worker whose process ends at certificates of depth 3, as FLINT ends it."""
    inside = workers.verify

    def verify(certificate: dict, tolerance: float) -> Verdict:
        if certificate["problem"]["depth"] == 3:
            os.abort()
        return inside(certificate, tolerance)

    workers.verify = verify
    ORIGINAL(pipe, memory)


ORIGINAL = workers._work


def test_what_ends_its_process_is_refused_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fatal = json.dumps(linear_certificate(3)) + "\n"
    (tmp_path / "a.jsonl").write_text(LINE + fatal + LINE + fatal)
    (tmp_path / "b.jsonl").write_text(LINE)
    monkeypatch.setattr(workers, "_work", dying)
    (_, first, fault), (_, second, _) = verify_files(scan([tmp_path])[0], 1e-6, 1)
    assert [(row["line"], row["accepted"]) for row in first] == [
        (1, True), (2, False), (3, True), (4, False),
    ]  # fmt: skip
    assert first[1]["reason"] == workers._ENDED and not fault
    assert [row["accepted"] for row in second] == [True]


def test_a_worker_has_so_much_memory_and_no_more(tmp_path: Path) -> None:
    large = json.dumps(worst.network(100, 4, 60_000)) + "\n"
    (tmp_path / "a.jsonl").write_text(LINE + large + LINE)
    ((_, rows, _),) = verify_files(scan([tmp_path])[0], 1e-6, 1, memory=2**26)
    assert [row["accepted"] for row in rows] == [True, False, True]
    ((_, rows, _),) = verify_files(scan([tmp_path])[0], 1e-6, 1)
    assert [row["accepted"] for row in rows] == [True, True, True]


def test_a_file_that_no_worker_can_read_is_named_once(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(LINE + " " * 2**27 + LINE)
    (tmp_path / "b.jsonl").write_text(LINE)
    (_, rows, fault), (_, other, _) = verify_files(scan([tmp_path])[0], 1e-6, 1, memory=2**25)
    assert "cannot read" in fault and len(rows) == 1
    assert [row["accepted"] for row in other] == [True]
