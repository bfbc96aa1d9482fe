"""Bad input, one line each: what was wrong, which value, what is accepted. No traceback."""

from __future__ import annotations

import io
import json
import os
import pickle
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zerogap import Problem, ZerogapError, solve, verify
from zerogap.cli import main
from zerogap.model.data import read_file
from zerogap.model.errors import ConfigError, DataError
from zerogap.replication.config import check_source, load
from zerogap.replication.families import generate

ROOT = Path(__file__).resolve().parents[1]
SCHEMA = ROOT / "workflow/schemas/config.schema.json"
X = np.array([[1.0, 0.5], [-0.5, 1.0], [0.25, -1.0], [-1.0, -0.75]])
Y = np.array([[1.0], [-2.0], [0.5], [1.5]])
OPTIONS = ("--architecture", "parallel", "--activation", "relu", "--depth", "3")


def said_in_one_line(arguments: tuple[object, ...], capsys: pytest.CaptureFixture[str]) -> str:
    """What a command says on bad input; it must be one line and the exit code 2."""
    try:
        code = main([str(a) for a in arguments])
    except SystemExit as stop:  # argparse
        code = int(stop.code or 0)
    said = capsys.readouterr().err
    assert code == 2, said
    assert said.endswith("\n")
    assert len(said.splitlines()) == 1
    assert "Traceback" not in said
    return said.strip()


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


# --- data files -----------------------------------------------------------------------------------


def npz(path: Path, **arrays: Any) -> None:
    np.savez(path, **({"X": X, "Y": Y} | arrays))


def unreadable_header(path: Path) -> None:
    """A header that announces 80 TB."""
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("X.npy", "Y.npy"):
            header = io.BytesIO()
            shape = {"descr": "<f8", "fortran_order": False, "shape": (10**7, 10**6)}
            np.lib.format.write_array_header_1_0(header, shape)
            archive.writestr(name, header.getvalue())


def inflating(path: Path) -> None:
    """A few hundred kilobytes that unpack to more than is read."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("X.npy", "Y.npy"):
            with archive.open(name, "w") as member:
                for _ in range(140):
                    member.write(bytes(2**20))


def damaged(path: Path) -> None:
    npz(path)
    content = bytearray(path.read_bytes())
    content[200] ^= 255
    path.write_bytes(content)


def truncated(path: Path) -> None:
    npz(path)
    path.write_bytes(path.read_bytes()[:-100])


def lonely_array(path: Path) -> None:
    with path.open("wb") as handle:
        np.save(handle, X)


def cut(value: float) -> dict[str, np.ndarray]:
    changed = X.copy()
    changed[2, 1] = value
    return {"X": changed}


PLAIN = "accepted are .npz files with arrays X and Y of real numbers"
ENTRY = "accepted is 1e-30 to 1e+30: rescale the data"
NO_FIT = "accepted are targets that agree there, or a positive beta"

NPZ: dict[str, tuple[Callable[[Path], Any], str]] = {
    "no X": (
        lambda p: np.savez(p, Y=Y),
        "bad.npz has no array 'X', it has Y; accepted are .npz files with X and Y",
    ),
    "lower case": (
        lambda p: np.savez(p, x=X, Y=Y),
        "bad.npz has no array 'X', it has x, Y; accepted are .npz files with X and Y",
    ),
    "no Y": (
        lambda p: np.savez(p, X=X),
        "bad.npz has no array 'Y', it has X; accepted are .npz files with X and Y",
    ),
    "nothing": (
        lambda p: np.savez(p),
        "bad.npz has no array 'X', it has none; accepted are .npz files with X and Y",
    ),
    "NaN": (lambda p: npz(p, **cut(np.nan)), "X[2, 1] is nan; accepted are finite numbers"),
    "infinity": (lambda p: npz(p, **cut(np.inf)), "X[2, 1] is inf; accepted are finite numbers"),
    "huge": (lambda p: npz(p, **cut(1e31)), f"X has largest entry 1e+31; {ENTRY}"),
    "tiny": (lambda p: npz(p, Y=Y * 1e-40), f"Y has largest entry 2e-40; {ENTRY}"),
    "overflow": (
        lambda p: npz(p, X=X.astype(np.longdouble) * np.longdouble("1e4000")),
        "X[0, 0] is inf; accepted are finite numbers",
    ),
    "objects": (
        lambda p: npz(p, X=np.array([{"a": 1}] * 4, dtype=object)),
        "bad.npz is not a plain .npz file: Object arrays cannot be loaded when "
        f"allow_pickle=False; {PLAIN}",
    ),
    "complex": (
        lambda p: npz(p, X=X + 1j),
        "X has dtype complex128; accepted are real numbers",
    ),
    "strings": (lambda p: npz(p, X=X.astype("U4")), "X has dtype <U4; accepted are real numbers"),
    "booleans": (lambda p: npz(p, X=X > 0), "X has dtype bool; accepted are real numbers"),
    "dates": (
        lambda p: npz(p, X=np.zeros((4, 2), "M8[s]")),
        "X has dtype datetime64[s]; accepted are real numbers",
    ),
    "records": (
        lambda p: npz(p, X=np.zeros(4, dtype=[("a", "f8")])),
        "X has dtype [('a', '<f8')]; accepted are real numbers",
    ),
    "rows": (lambda p: npz(p, Y=Y[:3]), "X has 4 rows and Y has 3; they must be equal"),
    "no rows": (
        lambda p: npz(p, X=X[:0], Y=Y[:0]),
        "X has shape (0, 2); accepted is a non-empty matrix",
    ),
    "no columns": (
        lambda p: npz(p, X=X[:, :0]),
        "X has shape (4, 0); accepted is a non-empty matrix",
    ),
    "K = 0": (lambda p: npz(p, Y=Y[:, :0]), "Y has shape (4, 0); accepted is a non-empty matrix"),
    "vector X": (lambda p: npz(p, X=X[:, 0]), "X has shape (4,); accepted is a non-empty matrix"),
    "cube": (lambda p: npz(p, X=X[None]), "X has shape (1, 4, 2); accepted is a non-empty matrix"),
    "zero X": (
        lambda p: npz(p, X=X * 0),
        "X is zero; accepted is a matrix with an entry that is not",
    ),
    "zero row": (
        lambda p: npz(p, X=X * [[1], [0], [1], [1]]),
        "no ReLU network without biases interpolates: X has a zero row and row 1 of Y does not "
        f"scale with it; {NO_FIT}",
    ),
    "constant columns": (
        lambda p: npz(p, X=np.ones((4, 2))),
        "no ReLU network without biases interpolates: two rows of X point the same way and row 1 "
        f"of Y does not scale with it; {NO_FIT}",
    ),
    "d = 1": (
        lambda p: npz(p, X=X[:, :1]),
        "no ReLU network without biases interpolates: two rows of X point the same way and row 1 "
        f"of Y does not scale with it; {NO_FIT}",
    ),
    "many rows": (
        lambda p: npz(p, X=np.ones((501, 2)), Y=np.ones((501, 1))),
        "X has shape (501, 2); accepted are up to 500 rows and columns",
    ),
    "not a zip": (
        lambda p: p.write_bytes(b"X, Y"),
        f"bad.npz is not a plain .npz file: File is not a zip file; {PLAIN}",
    ),
    "a pickle": (
        lambda p: p.write_bytes(pickle.dumps({"X": X, "Y": Y})),
        f"bad.npz is not a plain .npz file: File is not a zip file; {PLAIN}",
    ),
    "an npy": (lonely_array, f"bad.npz is not a plain .npz file: File is not a zip file; {PLAIN}"),
    "empty": (
        lambda p: p.write_bytes(b""),
        f"bad.npz is not a plain .npz file: File is not a zip file; {PLAIN}",
    ),
    "truncated": (
        truncated,
        f"bad.npz is not a plain .npz file: File is not a zip file; {PLAIN}",
    ),
    "damaged": (
        damaged,
        f"bad.npz is not a plain .npz file: Bad CRC-32 for file 'X.npy'; {PLAIN}",
    ),
    "80 TB": (
        unreadable_header,
        "bad.npz is not a plain .npz file: Unable to allocate 72.8 TiB for an array with shape "
        f"(10000000000000,) and data type float64; {PLAIN}",
    ),
    "zip bomb": (inflating, "bad.npz holds 293601280 bytes; accepted are up to 268435456"),
    "a folder": (
        lambda p: p.mkdir(),
        "bad.npz is not a file; accepted are .npz and .csv files",
    ),
    "a pipe": (os.mkfifo, "bad.npz is not a file; accepted are .npz and .csv files"),
    "missing": (lambda p: None, "bad.npz cannot be read: No such file or directory"),
}


@pytest.mark.parametrize(("make", "said"), NPZ.values(), ids=NPZ)
def test_a_bad_npz(
    make: Callable[[Path], Any], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    make(Path("bad.npz"))
    assert said_in_one_line(("solve", "bad.npz", *OPTIONS), capsys) == f"zerogap solve: {said}"


CSV: dict[str, tuple[bytes, str, str]] = {
    "ragged": (b"a,y\n1,2\n\n3\n", "y", "bad.csv line 4 has 1 fields; the header has 2"),
    "text": (
        b"a,y\n1,2\n3,x\n",
        "y",
        "bad.csv line 3, column 'y' is 'x'; accepted are finite numbers",
    ),
    "empty cell": (
        b"a,y\n1,\n",
        "y",
        "bad.csv line 2, column 'y' is ''; accepted are finite numbers",
    ),
    "nan": (
        b"a,y\nnan,1\n",
        "y",
        "bad.csv line 2, column 'a' is 'nan'; accepted are finite numbers",
    ),
    "overflow": (
        b"a,y\n1e400,1\n",
        "y",
        "bad.csv line 2, column 'a' is '1e400'; accepted are finite numbers",
    ),
    "digits of Python": (
        b"a,y\n1_0,1\n",
        "y",
        "bad.csv line 2, column 'a' is '1_0'; accepted are finite numbers",
    ),
    "zero byte": (
        b"a,y\n\0,1\n",
        "y",
        r"bad.csv line 2, column 'a' is '\x00'; accepted are finite numbers",
    ),
    "long field": (
        b"a,y\n" + b"1" * 200_000 + b",1\n",
        "y",
        "bad.csv cannot be read: field larger than field limit (131072)",
    ),
    "header only": (
        b"a,y\n",
        "y",
        "bad.csv is empty; accepted is a header line and at least one row",
    ),
    "empty": (b"", "y", "bad.csv is empty; accepted is a header line and at least one row"),
    "no such column": (b"a,b\n1,2\n", "y", "bad.csv has no column 'y'; it has a, b"),
    "semicolons": (b"a;y\n1;2\n", "y", "bad.csv has no column 'y'; it has a;y"),
    "targets only": (
        b"y\n1\n",
        "y",
        "bad.csv has only target columns; accepted is at least one feature",
    ),
    "twice in the header": (
        b"a,a,y\n1,2,3\n",
        "y",
        "bad.csv: the header names 'a' twice; names must differ",
    ),
    "twice in targets": (
        b"a,y\n1,2\n",
        "y,y",
        "bad.csv: targets names 'y' twice; names must differ",
    ),
    "no targets": (
        b"a,y\n1,2\n",
        "",
        "bad.csv: name the target columns (targets: [column, …])",
    ),
    "Latin-1": (
        "é,y\n1,2\n".encode("latin-1"),
        "y",
        "bad.csv cannot be read: 'utf-8' codec can't decode byte 0xe9 in position 0: invalid "
        "continuation byte",
    ),
    "UTF-16": (
        "a,y\n1,2\n".encode("utf-16"),
        "y",
        "bad.csv cannot be read: 'utf-8' codec can't decode byte 0xff in position 0: invalid start "
        "byte",
    ),
}


@pytest.mark.parametrize(("content", "targets", "said"), CSV.values(), ids=CSV)
def test_a_bad_csv(
    content: bytes, targets: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("bad.csv").write_bytes(content)
    arguments = ("solve", "bad.csv", *OPTIONS, "--targets", targets)
    assert said_in_one_line(arguments, capsys) == f"zerogap solve: {said}"


def test_unusual_but_good_data_are_read(capsys: pytest.CaptureFixture[str]) -> None:
    npz(Path("half.npz"), X=np.eye(4)[:, :2].astype(np.float16) + 1, Y=np.ones(4, dtype=np.int8))
    Path("bom.csv").write_bytes("a,y\r\n1,2\r\n\r\n".encode("utf-8-sig"))
    X_half, Y_half = read_file(Path("half.npz"))
    assert X_half.shape == (4, 2)
    assert Y_half.shape == (4,)
    one, two = read_file(Path("bom.csv"), ["y"])
    assert (one.tolist(), two.tolist()) == ([[1.0]], [[2.0]])
    # N = d = K = 1.
    assert main(["solve", "bom.csv", *OPTIONS, "--targets", "y", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["status"] == "zero"


# --- the command line -----------------------------------------------------------------------------

GOOD = ("solve", "good.npz")
HELP = "see zerogap solve --help"

COMMANDS: dict[str, tuple[tuple[object, ...], str]] = {
    "nothing": (
        (),
        "zerogap: the following arguments are required: command; see zerogap --help",
    ),
    "option": (
        (*GOOD, *OPTIONS, "--fast"),
        "zerogap: unrecognized arguments: --fast; see zerogap --help",
    ),
    "abbreviation": (
        (*GOOD, *OPTIONS, "--restart", "1"),
        "zerogap: unrecognized arguments: --restart 1; see zerogap --help",
    ),
    "missing": (
        (*GOOD, *OPTIONS[:4]),
        f"zerogap solve: the following arguments are required: --depth; {HELP}",
    ),
    "no text": (
        (*GOOD, *OPTIONS, "--depth", "2.5"),
        f"zerogap solve: argument --depth: invalid int value: '2.5'; {HELP}",
    ),
    "depth 1": (
        (*GOOD, *OPTIONS, "--depth", "1"),
        "zerogap solve: depth is 1; accepted is a whole number of at least 2",
    ),
    "depth": (
        (*GOOD, *OPTIONS, "--depth", "100000"),
        "zerogap solve: depth is 100000; accepted is up to 50",
    ),
    "activation": (
        (*GOOD, *OPTIONS, "--activation", "tanh"),
        "zerogap solve: activation is 'tanh'; accepted is one of linear, relu",
    ),
    "architecture": (
        (*GOOD, *OPTIONS, "--architecture", "resnet"),
        "zerogap solve: architecture is 'resnet'; accepted is one of standard, parallel",
    ),
    "regularizer": (
        (*GOOD, *OPTIONS, "--regularizer", "l1"),
        "zerogap solve: regularizer is 'l1'; accepted is one of weight_decay, power",
    ),
    "power": (
        (*GOOD, *OPTIONS, "--architecture", "standard", "--regularizer", "power"),
        "zerogap solve: regularizer 'power' is defined on the branches of a parallel network; a "
        "standard network of depth 3 or more takes 'weight_decay'",
    ),
    "not linear": (
        (*GOOD, *OPTIONS, "--activation", "linear"),
        "zerogap solve: no network interpolates: Y is not in the column span of X (relative "
        "residual 6.7e-01); accepted are such targets, or a positive beta",
    ),
    "beta nan": (
        (*GOOD, *OPTIONS, "--beta", "nan"),
        "zerogap solve: beta is nan; accepted is null or a positive number, 1e-60 to 1e+60",
    ),
    "beta 0": (
        (*GOOD, *OPTIONS, "--beta", "0"),
        "zerogap solve: beta is 0.0; accepted is null or a positive number, 1e-60 to 1e+60",
    ),
    "beta drowned": (
        (*GOOD, *OPTIONS, "--beta", "1e-20"),
        "zerogap solve: beta is 1e-20; accepted on this data is a number from 7e-10, or null, "
        "which interpolates",
    ),
    "tolerance": (
        (*GOOD, *OPTIONS, "--tolerance", "nan"),
        "zerogap solve: tolerance is nan; accepted is a number in (0, 1)",
    ),
    "restarts": (
        (*GOOD, *OPTIONS, "--restarts", "100000000"),
        "zerogap solve: restarts is 100000000; accepted is a whole number from 0 to 4096",
    ),
    "seed": (
        (*GOOD, *OPTIONS, "--seed", str(2**63)),
        "zerogap solve: seed is 9223372036854775808; accepted is a whole number from "
        "-9223372036854775808 to 9223372036854775807",
    ),
    "targets of an npz": (
        (*GOOD, *OPTIONS, "--targets", "y"),
        "zerogap solve: good.npz: targets name columns of a .csv; an .npz has its targets in Y",
    ),
    "suffix": (
        ("solve", "data.txt", *OPTIONS),
        "zerogap solve: data.txt ends in '.txt'; accepted are .npz and .csv files",
    ),
    "name": (
        ("solve", "a\n\x1b[2J\0.npz", *OPTIONS),
        r"zerogap solve: a\n\x1b[2J\x00.npz cannot be read: embedded null byte",
    ),
    "folder for a certificate": (
        (*GOOD, *OPTIONS, "--certificate", "."),
        "zerogap solve: . cannot be written: it is a folder; accepted is a file name",
    ),
    "certificate in a file": (
        (*GOOD, *OPTIONS, "--certificate", "good.npz/proof.jsonl"),
        "zerogap solve: good.npz/proof.jsonl cannot be written: File exists",
    ),
    "unwritable": (
        (*GOOD, *OPTIONS, "--certificate", "/proc/proof.jsonl"),
        "zerogap solve: /proc/proof.jsonl cannot be written: ",
    ),
    "no proof": (
        ("verify", "nowhere"),
        "zerogap verify: nowhere does not exist; accepted are .jsonl files and folders of them",
    ),
    "empty folder": (("verify", "empty"), "zerogap verify: empty holds no .jsonl file"),
    "not JSON": (
        ("verify", "broken.jsonl"),
        "zerogap verify: broken.jsonl, line 1 is not JSON: Expecting value: line 2 column 1 "
        "(char 6)",
    ),
    "deep JSON": (
        ("verify", "deep.jsonl"),
        "zerogap verify: deep.jsonl, line 1 is not JSON: maximum recursion depth exceeded while "
        "decoding a JSON array from a unicode string",
    ),
    "binary": (
        ("verify", "good.npz"),
        "zerogap verify: good.npz, line 1 is not JSON: 'utf-8' codec can't decode byte",
    ),
    "verify tolerance": (
        ("verify", "broken.jsonl", "--tolerance", "-1"),
        "zerogap verify: tolerance is -1.0; accepted is a number in (0, 1)",
    ),
    "no results": (
        ("claims", "--results", "nowhere"),
        "zerogap claims: nowhere/tables/claims.csv does not exist; `snakemake` makes it",
    ),
    "empty table": (
        ("table", "--results", "."),
        "zerogap table: tables/table1.csv is damaged: No columns to parse from file; the stage "
        "table1 makes it again on the next run, what is left of it is table1.csv.damaged",
    ),
    "another table": (
        ("claims", "--results", "."),
        "zerogap claims: tables/claims.csv has no column 'claim'; `snakemake` makes it again",
    ),
}


@pytest.fixture
def files() -> None:
    npz(Path("good.npz"))
    Path("empty").mkdir()
    Path("broken.jsonl").write_text('{"a":\n')
    Path("deep.jsonl").write_text("[" * 100_000 + "\n")
    Path("tables").mkdir()
    Path("tables/table1.csv").write_text("")
    Path("tables/claims.csv").write_text("a,b\n1,2\n")


@pytest.mark.parametrize(("arguments", "said"), COMMANDS.values(), ids=COMMANDS)
@pytest.mark.usefixtures("files")
def test_a_bad_command(
    arguments: tuple[object, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said_in_one_line(arguments, capsys).startswith(said)


SAMPLE = ("depth 1", "option", "unwritable", "deep JSON", "another table")


@pytest.mark.parametrize("name", SAMPLE)
@pytest.mark.usefixtures("files")
def test_a_bad_command_in_a_process_of_its_own(name: str) -> None:
    arguments, said = COMMANDS[name]
    command = [sys.executable, "-m", "zerogap.cli", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(said)
    assert done.stderr.count("\n") == 1


def test_what_is_no_certificate_is_refused_with_the_reason(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("junk.jsonl").write_text(
        '{}\n[]\n3\nnull\n"x"\n' + json.dumps({"format": "\x1b[2J"}) + "\n"
    )
    assert main(["verify", "junk.jsonl"]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 6
    assert all("refused: certificate: the key" in line for line in lines)


# --- the configuration ----------------------------------------------------------------------------

BASE = {"claims": "all", "tolerance": 1e-6, "batch_size": 10}


def own(**changes: Any) -> dict[str, Any]:
    entry = {
        "id": "mine",
        "data": {"kind": "file", "path": "good.npz"},
        "activation": "relu",
        "architecture": "parallel",
        "depths": [3],
    }
    return {"files": [entry | changes]}


def bomb() -> list[Any]:
    """Ten lists of ten, one inside the other: 10¹⁰ values."""
    value: list[Any] = ["x"] * 10
    for _ in range(9):
        value = [value] * 10
    return value


def endless() -> list[Any]:
    value: list[Any] = []
    value.append(value)
    return value


WHOLE = "is not of type 'integer'; accepted: a whole number from 1 to"

CONFIGS: dict[str, tuple[dict[str, Any], str]] = {
    "unknown key": (
        {"clams": "all"},
        "unknown key clams; accepted are claims, instances, restarts, cases, tolerance, "
        "batch_size, search, depth_study, timings, files",
    ),
    "unknown key in a file": (
        own(colour="red"),
        "unknown key files.0.colour; accepted are id, data, activation, architecture, regularizer, "
        "depths, beta",
    ),
    "unknown claim": (
        {"claims": ["two-layers"]},
        "claim 'two-layers' is unknown; accepted are two-layer, ",
    ),
    "no claims": ({"claims": []}, "claims is empty; accepted is all, or a list of claim ids"),
    "claim twice": (
        {"claims": ["two-layer", "two-layer"]},
        "claims: ['two-layer', 'two-layer'] is not valid under any of the given schemas; "
        "accepted: `all`, or a list of claim ids of the registry",
    ),
    "claims a number": ({"claims": 3}, "claims: 3 is not valid under any of the given schemas; "),
    "negative tolerance": (
        {"tolerance": -1},
        "tolerance: -1 is less than or equal to the minimum of 0; accepted: relative gap that "
        "counts as zero, between 0 and 0.1, with a point (1.0e-6)",
    ),
    "tolerance without a point": (
        {"tolerance": "1e-6"},
        "tolerance: '1e-6' is not of type 'number'; accepted: relative gap",
    ),
    "tolerance nan": (
        {"tolerance": float("nan")},
        "tolerance is nan; accepted are finite numbers",
    ),
    "no problems a job": (
        {"batch_size": 0},
        "batch_size: 0 is less than the minimum of 1; accepted: problems per job, a whole number "
        "from 1 to 1000000",
    ),
    "endless jobs": ({"batch_size": 10**400}, "batch_size is "),
    "true": ({"batch_size": True}, "batch_size: True is not of type 'integer'; accepted: problems"),
    "negative size": (
        {"instances": {"default": -3}},
        "instances.default: -3 is less than the minimum of 1; accepted: a whole number from 1 to "
        "10000",
    ),
    "real size": ({"instances": {"default": 2.0}}, f"instances.default: 2.0 {WHOLE} 10000"),
    "text for a table": (
        {"instances": "many"},
        "instances: 'many' is not of type 'object'; accepted: data sets per case",
    ),
    "unknown setting": (
        {"instances": {"nowhere": 3}},
        "instances.nowhere: no such setting; accepted are two-layer-linear, ",
    ),
    "restarts": ({"restarts": {"default": 1.5}}, f"restarts.default: 1.5 {WHOLE} 4096"),
    "unknown case": (
        {"cases": {"low-rank": ["lost"]}},
        "setting 'low-rank' has no case 'lost'; it has ",
    ),
    "case twice": (
        {"cases": {"low-rank": ["a", "a"]}},
        "cases.low-rank: ['a', 'a'] has non-unique elements; accepted: a non-empty list of "
        "different case labels",
    ),
    "no case": (
        {"cases": {"low-rank": []}},
        "cases.low-rank: [] should be non-empty; accepted: a non-empty list",
    ),
    "timings": ({"timings": "yes"}, "timings: 'yes' is not of type 'boolean'; accepted: true"),
    "key not text": ({3: "x"}, "config: key 3 is not text; accepted are texts"),
    "a date": (
        {"claims": [yaml.safe_load("2026-01-01")]},
        "claims.0 is datetime.date(2026, 1, 1); accepted are texts, numbers and lists",
    ),
    "long text": (
        {"claims": ["x" * 5000]},
        "claims.0: a text of 5000 characters; accepted are up to 4096",
    ),
    "bomb": (
        {"claims": bomb()},
        "claims: too large; accepted are up to 100000 values, nested up to 10 deep",
    ),
    "endless": (
        {"claims": endless()},
        "claims: too large; accepted are up to 100000 values, nested up to 10 deep",
    ),
    "half a file": (
        {"files": [{"id": "mine"}]},
        "files.0: 'data' is a required property; required are id, data, activation, "
        "architecture, depths",
    ),
    "id twice": (
        {"files": own()["files"] * 2},
        "files: id 'mine' is given twice; ids must differ",
    ),
    "id outside": (
        own(id="../../outside"),
        "files.0.id: '../../outside' does not match ",
    ),
    "id of two lines": (own(id="mine\n"), "files.0.id: 'mine\\n' does not match "),
    "depth 1": (
        own(depths=[1]),
        "files.0.depths.0: 1 is less than the minimum of 2",
    ),
    "depth twice": (own(depths=[3, 3]), "files.0.depths: [3, 3] has non-unique elements"),
    "no such file": (
        own(data={"kind": "file", "path": "lost.csv", "targets": ["y"]}),
        "files.mine: lost.csv cannot be read: No such file or directory",
    ),
    "braces": (
        # Snakemake would read them as wildcards.
        own(data={"kind": "file", "path": "{batch}.npz"}),
        "files.0.data.path: '{batch}.npz' does not match ",
    ),
    "another kind": (
        own(data={"kind": "pickle", "path": "good.npz"}),
        "files.0.data.kind: 'file' was expected",
    ),
    "linear misfit": (
        own(activation="linear"),
        "files.mine: no network interpolates: Y is not in the column span of X",
    ),
    "beta": (own(beta=0), "files.0.beta: 0 is less than or equal to the minimum of 0"),
    "large data": (
        own(data={"kind": "file", "path": "large.npz"}),
        "files.mine: X has shape (600, 600); accepted are up to 500 rows and columns",
    ),
}


@pytest.mark.parametrize(("change", "said"), CONFIGS.values(), ids=CONFIGS)
@pytest.mark.usefixtures("files")
def test_a_bad_configuration(change: dict[str, Any], said: str) -> None:
    npz(Path("large.npz"), X=np.eye(600), Y=np.ones(600))
    started = time.perf_counter()
    with pytest.raises(ConfigError) as raised:
        load(BASE | change, SCHEMA)
    assert str(raised.value).startswith(said)
    assert len(str(raised.value).splitlines()) == 1
    assert time.perf_counter() - started < 5


def layers_of_aliases() -> bytes:
    names = "abcdefghij"
    lines = ["a: &a [x,x,x,x,x,x,x,x,x,x]"]
    for below, name in pairwise(names):
        lines.append(f"{name}: &{name} [{','.join([f'*{below}'] * 10)}]")
    return "\n".join([*lines, "claims: *j\n"]).encode()


SOURCES: dict[str, tuple[bytes | None, str]] = {
    "missing": (None, "bad.yaml cannot be read: FileNotFoundError: "),
    "Latin-1": (b"claims: all # caf\xe9\n", "bad.yaml cannot be read: UnicodeDecodeError: "),
    "not YAML": (b"claims: [a\n", "bad.yaml cannot be read: ParserError: "),
    "tabs": (b"claims:\n\tall\n", "bad.yaml cannot be read: ScannerError: "),
    "deep": (b"claims: " + b"[" * 10_000, "bad.yaml cannot be read: RecursionError: "),
    "key twice": (
        b"tolerance: 1.0e-6\nclaims: all\ntolerance: 1.0e-3\n",
        "bad.yaml line 3: key 'tolerance' is given twice",
    ),
    "inner key twice": (
        b"instances:\n  default: 1\n  default: 2\n",
        "bad.yaml line 3: key 'default' is given twice",
    ),
    "template": (
        b"__use_yte__: true\nclaims: ?list('x')\n",
        "bad.yaml line 1: templates (__use_yte__) are not accepted",
    ),
}


@pytest.mark.parametrize(("content", "said"), SOURCES.values(), ids=SOURCES)
def test_a_bad_configuration_file(content: bytes | None, said: str) -> None:
    if content is not None:
        Path("bad.yaml").write_bytes(content)
    with pytest.raises(ConfigError) as raised:
        check_source(Path("bad.yaml"))
    assert str(raised.value).startswith(said)
    assert len(str(raised.value).splitlines()) == 1


def test_aliases_are_read_once_however_often_they_are_used() -> None:
    Path("bomb.yaml").write_bytes(layers_of_aliases())
    started = time.perf_counter()
    check_source(Path("bomb.yaml"))
    with pytest.raises(ConfigError, match="too large"):
        load(BASE | yaml.safe_load(Path("bomb.yaml").read_bytes()), SCHEMA)
    assert time.perf_counter() - started < 5


# --- the Python interface -------------------------------------------------------------------------

Options = dict[str, Any]
RELU: Options = {"activation": "relu", "architecture": "parallel", "depth": 3}

CALLS: dict[str, tuple[Callable[[], object], str]] = {
    "ragged": (
        lambda: Problem([[1.0], [1.0, 2.0]], Y, **RELU),  # type: ignore[arg-type]
        "X is not a rectangular array: ",
    ),
    "nothing": (
        lambda: Problem(None, Y, **RELU),  # type: ignore[arg-type]
        "X has dtype object; accepted are real numbers",
    ),
    "masked": (
        lambda: Problem(np.ma.masked_greater(X, 0.5), Y, **RELU),
        "X has masked entries; accepted are finite numbers",
    ),
    "depth 3.0": (
        lambda: Problem(X, Y, **RELU | {"depth": 3.0}),
        "depth is 3.0; accepted is a whole number of at least 2",
    ),
    "depth True": (
        lambda: Problem(X, Y, **RELU | {"depth": True}),
        "depth is True; accepted is a whole number of at least 2",
    ),
    "array for a name": (
        lambda: Problem(X, Y, **RELU | {"activation": X}),
        "activation is array(",
    ),
    "endless beta": (lambda: Problem(X, Y, beta=10**400, **RELU), "beta is 1000"),
    "text beta": (lambda: Problem(X, Y, beta="1", **RELU), "beta is '1'; accepted is null"),  # type: ignore[arg-type]
    "solve tolerance": (
        lambda: solve(Problem(X, Y, **RELU), tolerance=0),
        "tolerance is 0; accepted is a number in (0, 1)",
    ),
    "solve seed": (
        lambda: solve(Problem(X, Y, **RELU), seed=0.5),  # type: ignore[arg-type]
        "seed is 0.5; accepted is a whole number from",
    ),
    "solve restarts": (
        lambda: solve(Problem(X, Y, **RELU), restarts=-1),
        "restarts is -1; accepted is a whole number from 0 to 4096",
    ),
    "data kind": (
        lambda: generate({"kind": "uniform"}),
        "data kind is 'uniform'; accepted is one of file, gaussian, ",
    ),
    "data parameter": (
        lambda: generate({"kind": "gaussian", "n": 3}),
        "data kind 'gaussian': gaussian() missing 2 required positional arguments",
    ),
    "negative data": (
        lambda: generate({"kind": "gaussian", "n": -3, "d": 2, "k": 1}),
        "data kind 'gaussian': negative dimensions are not allowed",
    ),
    "too many orthonormal": (
        lambda: generate({"kind": "whitened", "n": 3, "d": 2, "k": 1}),
        "data kind 'whitened': 3 orthonormal vectors do not fit in 2 dimensions",
    ),
}


@pytest.mark.parametrize(("call", "said"), CALLS.values(), ids=CALLS)
def test_a_bad_call(call: Callable[[], object], said: str) -> None:
    with pytest.raises(ZerogapError) as raised:
        call()
    assert str(raised.value).startswith(said)
    assert len(str(raised.value).splitlines()) == 1


@pytest.mark.parametrize("value", [None, 3, [], {}, "x", {"format": "zerogap-certificate"}, X])
def test_verify_never_raises(value: object) -> None:
    proved = verify(value)
    assert not proved.accepted
    assert proved.reason


# --- trust and interruption -----------------------------------------------------------------------


class Touch:
    """Unpickled, it would make a file."""

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path("executed"),)


def test_nothing_from_a_file_is_executed(capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.npz").write_bytes(pickle.dumps(Touch()))
    npz(Path("b.npz"), X=np.array([Touch()], dtype=object))
    Path("c.csv").write_text("a,y\n__import__('os').mkdir('executed'),1\n")
    Path("d.yaml").write_text("claims: !!python/object/apply:os.mkdir [executed]\n")
    for name in ("a.npz", "b.npz", "c.csv"):
        with pytest.raises(DataError):
            read_file(Path(name), ["y"] if name == "c.csv" else None)
    with pytest.raises(yaml.YAMLError):
        yaml.safe_load(Path("d.yaml").read_bytes())
    assert not Path("executed").exists()


def proof(**identity: str) -> dict[str, Any]:
    problem = Problem(X[:1], Y[:1], **RELU)
    return solve(problem).certificate | {"id": identity}


def test_a_certificate_cannot_choose_where_its_verdict_is_written(tmp_path: Path) -> None:
    from zerogap.replication.stages import main as stage
    from zerogap.solving.certificates import write_jsonl

    outside = {key: "../../outside" for key in ("claim", "setting", "instance")}
    write_jsonl("results/certificates/0.jsonl", [proof(**outside)])
    arguments = ["--certificates", "results/certificates/0.jsonl", "--tolerance", "1e-6"]
    assert stage(["verify", *arguments, "--output", "results/verdicts/0.json"]) == 0
    written = sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("[!.]*") if p.is_file())
    assert written == ["results/certificates/0.jsonl", "results/verdicts/0.json"]


def test_an_interrupted_check_reports_what_it_proved_and_exits_with_130() -> None:
    line = json.dumps(proof()) + "\n"
    Path("a.jsonl").write_text(line + "{}\n")
    Path("b.jsonl").write_text(line * 50_000)
    command = [sys.executable, "-m", "zerogap.cli", "verify", "a.jsonl", "b.jsonl"]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell starts background jobs with interrupts ignored, and children inherit it.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    ) as running:
        assert running.stderr is not None
        assert running.stderr.readline().startswith("a.jsonl line 2: refused")
        running.send_signal(signal.SIGINT)
        said, complained = running.communicate(timeout=60)
    assert running.returncode == 130
    assert complained == ""
    assert "a.jsonl         1        1" in said


def test_an_interrupted_command_exits_with_130_and_leaves_no_half_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from zerogap.replication import stages
    from zerogap.solving import certificates as written

    def interrupt(*_: object, **__: object) -> None:
        """Ctrl-C."""
        raise KeyboardInterrupt

    npz(Path("good.npz"))
    monkeypatch.setattr(written.json, "dumps", interrupt)
    arguments = ["solve", "good.npz", *OPTIONS, "--certificate", "proof.jsonl"]
    assert main([*arguments, "--beta", "1e6"]) == 130
    monkeypatch.setitem(stages.STAGES, "provenance", (interrupt, {"output": Path}))
    assert stages.main(["provenance", "--output", "provenance.json"]) == 130
    assert [path.name for path in Path().iterdir()] == ["good.npz"]
    assert capsys.readouterr().err == ""


# --- fuzzing --------------------------------------------------------------------------------------

FUZZ = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
keys = st.sampled_from(["claims", "tolerance", "batch_size", "instances", "cases", "files"])


@FUZZ
@given(st.dictionaries(keys, values, max_size=3))
def test_any_configuration_is_taken_or_refused_in_one_line(change: dict[str, Any]) -> None:
    try:
        load(BASE | change, SCHEMA)
    except ConfigError as error:
        assert str(error).isprintable()


@FUZZ
@given(st.dictionaries(st.sampled_from(["id", "data", "activation", "depths", "beta"]), values))
def test_any_own_data_is_taken_or_refused_in_one_line(change: dict[str, Any]) -> None:
    npz(Path("good.npz"))
    try:
        load(BASE | own(**change), SCHEMA)
    except ConfigError as error:
        assert str(error).isprintable()


@FUZZ
@given(st.binary(max_size=60) | st.text(alphabet='01.,"\n\r;eE+-nay', max_size=40).map(str.encode))
def test_any_csv_is_read_or_refused_in_one_line(content: bytes) -> None:
    path = Path("fuzz.csv")
    path.write_bytes(b"a,y\n" + content)
    try:
        features, targets = read_file(path, ["y"])
    except DataError as error:
        assert str(error).isprintable()
    else:
        assert np.isfinite(features).all()
        assert np.isfinite(targets).all()


@FUZZ
@given(st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=4))
def test_any_damage_to_an_npz_is_read_or_refused_in_one_line(
    damage: list[tuple[int, int]],
) -> None:
    path = Path("fuzz.npz")
    npz(path)
    content = bytearray(path.read_bytes())
    for place, byte in damage:
        content[place % len(content)] = byte
    path.write_bytes(content)
    try:
        Problem(*read_file(path), **RELU)
    except ZerogapError as error:
        assert str(error).isprintable()


@FUZZ
@given(
    st.binary(max_size=80) | st.text(alphabet="a:&*[]{}-, \n!?'\"|#", max_size=40).map(str.encode)
)
def test_any_yaml_is_taken_or_refused_in_one_line(content: bytes) -> None:
    path = Path("fuzz.yaml")
    path.write_bytes(content)
    try:
        check_source(path)
    except ConfigError as error:
        assert str(error).isprintable()
