"""Bad input, one line each: what was wrong, which value, what is accepted. No traceback.

What is text is a table in bad_input/cases.yaml; what takes Python is one here.
"""

from __future__ import annotations

import io
import json
import os
import pickle
import shlex
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable
from contextlib import redirect_stderr
from functools import partial
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
TEXTS = yaml.safe_load((ROOT / "tests/bad_input/cases.yaml").read_text(encoding="utf-8"))
X = np.array([[1.0, 0.5], [-0.5, 1.0], [0.25, -1.0], [-1.0, -0.75]])
Y = np.array([[1.0], [-2.0], [0.5], [1.5]])
OPTIONS = ("--architecture", "parallel", "--activation", "relu", "--depth", "3")
BASE = {"claims": "all", "tolerance": 1e-6, "batch_size": 10}


def npz(**arrays: Any) -> bytes:
    """An archive of X, Y and the arrays given; None leaves one out."""
    kept = {name: a for name, a in ({"X": X, "Y": Y} | arrays).items() if a is not None}
    buffer = io.BytesIO()
    np.savez(buffer, **kept)
    return buffer.getvalue()


GOOD = npz()


def archive(path: Path, content: bytes) -> None:
    """A file whose arrays are anything at all."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as written:
        for name in ("X.npy", "Y.npy"):
            written.writestr(name, content)


def vast_header() -> bytes:
    header = io.BytesIO()
    shape = {"descr": "<f8", "fortran_order": False, "shape": (10**7, 10**6)}
    np.lib.format.write_array_header_1_0(header, shape)
    return header.getvalue()


def cut(value: float) -> np.ndarray:
    return np.where(np.arange(8).reshape(4, 2) == 5, value, X)


def asked(features: Any = X, targets: Any = Y, **changes: Any) -> Problem:
    options = {"activation": "relu", "architecture": "parallel", "depth": 3}
    return Problem(features, targets, **options | changes)


def own_data(**changes: Any) -> dict[str, Any]:
    """A configuration with one data set of the user's own."""
    entry = {"id": "mine", "data": {"kind": "file", "path": "good.npz"}, "activation": "relu"}
    entry |= {"architecture": "parallel", "depths": [3]}
    return {"name": "mine", "files": [entry | changes]}


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test is in a folder of its own, with one good file."""
    monkeypatch.chdir(tmp_path)
    Path("good.npz").write_bytes(GOOD)


# --- what is said, by every way in ----------------------------------------------------------------


def _main(*arguments: str) -> str:
    """What a command says on bad input; the exit code must be 2."""
    with redirect_stderr(io.StringIO()) as said:
        try:
            code = main(list(arguments))
        except SystemExit as stop:  # argparse
            code = int(stop.code or 0)
    assert code == 2, said.getvalue()
    return said.getvalue().removesuffix("\n")


def _data(name: str, content: Any, *options: str) -> str:
    path = Path(name)
    content(path) if callable(content) else path.write_bytes(content)
    return _main("solve", name, *OPTIONS, *options).removeprefix("zerogap solve: ")


def _words(command: str) -> list[str]:
    for folder in ("empty", "tables"):
        Path(folder).mkdir()
    np.savez("net.npz", W1=np.ones((2, 3)), b1=np.ones(3), W2=np.ones((3, 1)), b2=np.ones(1))
    Path("one.npz").write_bytes(npz(Y=np.ones((4, 1))))
    Path("broken.jsonl").write_text('{"a":\n')
    Path("deep.jsonl").write_text("[" * 100_000 + "\n")
    Path("tables/table1.csv").write_text("")
    Path("tables/claims.csv").write_text("a,b\n1,2\n")
    return shlex.split(command.replace("SOLVE", shlex.join(("solve", "good.npz", *OPTIONS))))


def _process(command: str) -> str:
    own = [sys.executable, "-m", "zerogap.cli", *_words(command)]
    done = subprocess.run(own, capture_output=True, text=True, timeout=600, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    return done.stderr.removesuffix("\n")


def _raised(error: type[Exception], call: Callable[[], object]) -> str:
    with pytest.raises(error) as raised:
        call()
    return str(raised.value)


def _own_data(change: dict[str, Any]) -> str:
    if "10001" in str(change):
        Path("10001.npz").write_bytes(npz(X=np.ones((10001, 2)), Y=np.ones(10001)))
    return WAYS["configuration"](own_data(**change))


def _source(content: str | None) -> str:
    if content is not None:
        Path("bad.yaml").write_bytes(content.encode("latin-1"))
    return _raised(ConfigError, lambda: check_source(Path("bad.yaml")))


WAYS: dict[str, Callable[..., str]] = {
    "npz": lambda content: _data("bad.npz", content),
    "csv": lambda text, names: _data("bad.csv", text.encode("latin-1"), "--targets", names),
    "command": lambda command: _main(*_words(command)),
    "process": _process,
    "configuration": lambda change: _raised(ConfigError, lambda: load(BASE | change, SCHEMA)),
    "own data": _own_data,
    "source": _source,
    "call": lambda call: _raised(ZerogapError, call),
}

# --- what is given --------------------------------------------------------------------------------

NAMES = "accepted are .npz files with arrays X and Y of real numbers"
PLAIN = f"; {NAMES}"
NO_ZIP = f"bad.npz is not a plain .npz file: File is not a zip file{PLAIN}"
REAL, FINITE, WHOLE = (f"accepted {what}" for what in ("are real", "are finite", "is a whole"))
MATRIX, ENTRY = "accepted is a non-empty matrix", "accepted is 1e-30 to 1e+30: rescale the data"
ONE_WAY, ZERO_ROW = (
    f"no ReLU network without biases interpolates: {why} and row 1 of Y does not scale with it; "
    "accepted are targets that agree there, or a positive beta"
    for why in ("two rows of X point the same way", "X has a zero row")
)
NO_FILE = "bad.npz is not a file; accepted are .npz and .csv files"
TOO_MANY = {"kind": "whitened", "n": 3, "d": 2, "k": 1}
NEGATIVE = {"kind": "gaussian", "n": -3, "d": 2, "k": 1}

# fmt: off
PYTHON: dict[str, dict[str, tuple[Any, ...]]] = {
    "npz": {
        "no X": (npz(X=None), f"bad.npz has no array 'X', it has Y; {NAMES}"),
        "lower case": (npz(X=None, x=X), f"bad.npz has no array 'X', it has Y, x; {NAMES}"),
        "no Y": (npz(Y=None), f"bad.npz has no array 'Y', it has X; {NAMES}"),
        "nothing": (npz(X=None, Y=None), f"bad.npz has no array 'X', it has none; {NAMES}"),
        "NaN": (npz(X=cut(np.nan)), f"X[2, 1] is nan; {FINITE} numbers"),
        "infinity": (npz(X=cut(np.inf)), f"X[2, 1] is inf; {FINITE} numbers"),
        "huge": (npz(X=cut(1e31)), f"X has largest entry 1e+31; {ENTRY}"),
        "tiny": (npz(Y=Y * 1e-40), f"Y has largest entry 2e-40; {ENTRY}"),
        "overflow": (npz(X=X * np.longdouble("1e4000")), f"X[0, 0] is inf; {FINITE} numbers"),
        "objects": (npz(X=np.array([{"a": 1}] * 4, dtype=object)),
                    "bad.npz is not a plain .npz file: Object arrays cannot be loaded when "
                    f"allow_pickle=False{PLAIN}"),
        "complex": (npz(X=X + 1j), f"X has dtype complex128; {REAL} numbers"),
        "strings": (npz(X=X.astype("U4")), f"X has dtype <U4; {REAL} numbers"),
        "booleans": (npz(X=X > 0), f"X has dtype bool; {REAL} numbers"),
        "dates": (npz(X=np.zeros((4, 2), "M8[s]")), f"X has dtype datetime64[s]; {REAL} numbers"),
        "records": (npz(X=np.zeros(4, [("a", "f8")])),
                    f"X has dtype [('a', '<f8')]; {REAL} numbers"),
        "rows": (npz(Y=Y[:3]), "X has 4 rows and Y has 3; they must be equal"),
        "no rows": (npz(X=X[:0], Y=Y[:0]), f"X has shape (0, 2); {MATRIX}"),
        "no columns": (npz(X=X[:, :0]), f"X has shape (4, 0); {MATRIX}"),
        "K = 0": (npz(Y=Y[:, :0]), f"Y has shape (4, 0); {MATRIX}"),
        "vector X": (npz(X=X[:, 0]), f"X has shape (4,); {MATRIX}"),
        "cube": (npz(X=X[None]), f"X has shape (1, 4, 2); {MATRIX}"),
        "zero X": (npz(X=X * 0), "X is zero; accepted is a matrix with an entry that is not"),
        "zero row": (npz(X=X * [[1], [0], [1], [1]]), ZERO_ROW),
        "constant columns": (npz(X=np.ones((4, 2))), ONE_WAY),
        "d = 1": (npz(X=X[:, :1]), ONE_WAY),
        "many rows": (npz(X=np.ones((10001, 2)), Y=np.ones((10001, 1))),
                      "X has shape (10001, 2); accepted are up to 10000 rows and 1000 columns"),
        "not a zip": (b"X, Y", NO_ZIP),
        "a pickle": (pickle.dumps({"X": X, "Y": Y}), NO_ZIP),
        "an npy": (lambda path: path.write_bytes(zipfile.ZipFile(io.BytesIO(GOOD)).read("X.npy")),
                   NO_ZIP),
        "empty": (b"", NO_ZIP),
        "truncated": (GOOD[:-100], NO_ZIP),
        "damaged": (GOOD[:200] + bytes([GOOD[200] ^ 255]) + GOOD[201:],
                    f"bad.npz is not a plain .npz file: Bad CRC-32 for file 'X.npy'{PLAIN}"),
        "80 TB": (lambda path: archive(path, vast_header()),
                  "bad.npz is not a plain .npz file: Unable to allocate 72.8 TiB for an array with "
                  f"shape (10000000000000,) and data type float64{PLAIN}"),
        "zip bomb": (lambda path: archive(path, bytes(140 * 2**20)),
                     "bad.npz holds 293601280 bytes; accepted are up to 268435456"),
        "a folder": (Path.mkdir, NO_FILE),
        "a pipe": (os.mkfifo, NO_FILE),
        "missing": (lambda path: None, "bad.npz cannot be read: No such file or directory"),
    },
    "csv": {
        "long field": ("a,y\n" + "1" * 200_000 + ",1\n", "y",
                       "bad.csv cannot be read: field larger than field limit (131072)"),
    },
    "process": {
        name: TEXTS["command"][name]
        for name in ("depth 1", "option", "unwritable", "deep JSON", "another table")
    },
    "configuration": {
        "endless jobs": ({"batch_size": 10**400}, "batch_size: 1000"),
        "id twice": (own_data() | {"files": own_data()["files"] * 2},
                     "files: id 'mine' is given twice; ids must differ"),
    },
    "source": {
        "missing": (None, "bad.yaml cannot be read: FileNotFoundError: "),
        "deep": ("claims: " + "[" * 2_000, "bad.yaml cannot be read: RecursionError: "),
    },
    "call": {
        "ragged": (lambda: asked([[1.0], [1.0, 2.0]]), "X is not a rectangular array: "),
        "nothing": (lambda: asked(None), f"X has dtype object; {REAL} numbers"),
        "masked": (lambda: asked(np.ma.masked_greater(X, 0.5)),
                   f"X has masked entries; {FINITE} numbers"),
        "depth 3.0": (lambda: asked(depth=3.0), f"depth is 3.0; {WHOLE} number of at least 2"),
        "depth True": (lambda: asked(depth=True), f"depth is True; {WHOLE} number of at least 2"),
        "array for a name": (lambda: asked(activation=X), "activation is array("),
        "endless beta": (lambda: asked(beta=10**400), "beta is 1000"),
        "text beta": (lambda: asked(beta="1"), "beta is '1'; accepted is null"),
        "solve tolerance": (lambda: solve(asked(), tolerance=0),
                            "tolerance is 0; accepted is a number in (0, 1)"),
        "solve seed": (lambda: solve(asked(), seed=0.5), f"seed is 0.5; {WHOLE} number from"),
        "solve restarts": (lambda: solve(asked(), restarts=-1),
                           f"restarts is -1; {WHOLE} number from 0 to 4096"),
        "data kind": (lambda: generate({"kind": "uniform"}),
                      "data kind is 'uniform'; accepted is one of file, gaussian, "),
        "data parameter": (lambda: generate({"kind": "gaussian", "n": 3}), "data kind 'gaussian': "
                           "gaussian() missing 2 required positional arguments"),
        "negative data": (lambda: generate(NEGATIVE),
                          "data kind 'gaussian': negative dimensions are not allowed"),
        "too many orthonormal": (lambda: generate(TOO_MANY), "data kind 'whitened': 3 orthonormal "
                                 "vectors do not fit in 2 dimensions"),
    },
}
# fmt: on
CASES = {
    f"{way}: {name}": (way, *case)
    for table in (TEXTS, PYTHON)
    for way, cases in table.items()
    for name, case in cases.items()
}


@pytest.mark.parametrize("name", CASES)
def test_bad_input_is_refused_in_one_line(name: str) -> None:
    way, *given, expected = CASES[name]
    said = WAYS[way](*given)
    assert len(said.splitlines()) == 1
    assert "Traceback" not in said
    assert said == expected if way in ("npz", "csv") else said.startswith(expected)


def test_unusual_but_good_data_are_read(capsys: pytest.CaptureFixture[str]) -> None:
    half = npz(X=np.eye(4)[:, :2].astype(np.float16) + 1, Y=np.ones(4, dtype=np.int8))
    Path("half.npz").write_bytes(half)
    Path("bom.csv").write_bytes("a,y\r\n1,2\r\n\r\n".encode("utf-8-sig"))
    assert [A.shape for A in read_file(Path("half.npz"))] == [(4, 2), (4,)]
    assert [A.tolist() for A in read_file(Path("bom.csv"), ["y"])] == [[[1.0]], [[2.0]]]
    # N = d = K = 1.
    assert main(["solve", "bom.csv", *OPTIONS, "--targets", "y", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["status"] == "zero"


@pytest.mark.parametrize("value", [None, 3, [], {}, "x", {"format": "\x1b[2J"}, X])
def test_what_is_no_certificate_is_refused_with_the_reason(
    value: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    verdict = verify(value)
    assert not verdict.accepted
    assert verdict.reason.startswith("certificate: the key")
    Path("junk.jsonl").write_text(json.dumps(value, default=np.ndarray.tolist) + "\n")
    assert main(["verify", "junk.jsonl"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("junk.jsonl line 1: refused: certificate: the key")
    assert said.count("\n") == 1


# --- trust and interruption -----------------------------------------------------------------------


class Touch:
    """Unpickled, it would make a file."""

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path("executed"),)


def test_nothing_from_a_file_is_executed() -> None:
    Path("a.npz").write_bytes(pickle.dumps(Touch()))
    Path("b.npz").write_bytes(npz(X=np.array([Touch()], dtype=object)))
    Path("c.csv").write_text("a,y\n__import__('os').mkdir('executed'),1\n")
    for name, targets in (("a.npz", None), ("b.npz", None), ("c.csv", ["y"])):
        with pytest.raises(DataError):
            read_file(Path(name), targets)
    with pytest.raises(yaml.YAMLError):
        yaml.safe_load("claims: !!python/object/apply:os.mkdir [executed]\n")
    assert not Path("executed").exists()


def proof(**identity: str) -> dict[str, Any]:
    return solve(asked(X[:1], Y[:1])).certificate | {"id": identity}


def test_a_certificate_cannot_choose_where_its_verdict_is_written(tmp_path: Path) -> None:
    from zerogap.replication.stages.__main__ import main as stage
    from zerogap.solving.certificates import write_jsonl

    outside = {key: "../../outside" for key in ("claim", "setting", "instance")}
    write_jsonl("results/certificates/0.jsonl", [proof(**outside)])
    arguments = ["--certificates", "results/certificates/0.jsonl", "--tolerance", "1e-6"]
    assert stage(["verify", *arguments, "--output", "results/verdicts/0.json"]) == 0
    written = {str(p.relative_to(tmp_path)) for p in tmp_path.rglob("[!.]*") if p.is_file()}
    assert written == {"good.npz", "results/certificates/0.jsonl", "results/verdicts/0.json"}


def test_an_interrupted_check_reports_what_it_proved_and_exits_with_130() -> None:
    line = json.dumps(proof()) + "\n"
    Path("a.jsonl").write_text(line + "{}\n")
    Path("b.jsonl").write_text(line * 50_000)
    # A shell starts background jobs with interrupts ignored, and children inherit it.
    heard = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    command = [sys.executable, "-m", "zerogap.cli", "verify", "a.jsonl", "b.jsonl"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, preexec_fn=heard, **pipes) as running:
        assert running.stderr.readline().startswith("a.jsonl line 2: refused")
        running.send_signal(signal.SIGINT)
        said, complained = running.communicate(timeout=600)
    assert (running.returncode, complained) == (130, "")
    assert "a.jsonl         1        1" in said


def test_an_interrupted_command_exits_with_130_and_leaves_no_half_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from zerogap.replication.stages import __main__ as stages
    from zerogap.replication.stages import provenance
    from zerogap.solving import certificates as written

    def interrupt(*_: object, **__: object) -> None:
        """Ctrl-C."""
        raise KeyboardInterrupt

    monkeypatch.setattr(written.json, "dumps", interrupt)
    certificate = ("--certificate", "proof.jsonl", "--beta", "1e6")
    assert main(["solve", "good.npz", *OPTIONS, *certificate]) == 130
    monkeypatch.setattr(provenance, "write_json", interrupt)
    arguments = ["provenance", "--config", "{}", "--output", "provenance.json"]
    assert stages.main(arguments) == 130
    assert [path.name for path in Path().iterdir()] == ["good.npz"]
    assert capsys.readouterr().err == ""


# --- fuzzing --------------------------------------------------------------------------------------

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
DAMAGE = st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=4)


def _changes(*names: str) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(st.sampled_from(names), VALUES, max_size=3)


def _text(alphabet: str) -> st.SearchStrategy[bytes]:
    return st.binary(max_size=80) | st.text(alphabet, max_size=40).map(str.encode)


def _file(name: str, content: bytes) -> Path:
    Path(name).write_bytes(content)
    return Path(name)


def _take_csv(content: bytes) -> None:
    arrays = read_file(_file("fuzz.csv", b"a,y\n" + content), ["y"])
    assert all(np.isfinite(array).all() for array in arrays)


def _take_npz(damage: list[tuple[int, int]]) -> None:
    content = bytearray(GOOD)
    for place, byte in damage:
        content[place % len(content)] = byte
    asked(*read_file(_file("fuzz.npz", bytes(content))))


# fmt: off
FUZZED: dict[str, tuple[type[Exception], Callable[[Any], object], st.SearchStrategy[Any]]] = {
    "configuration": (ConfigError, lambda change: load(BASE | change, SCHEMA),
                      _changes("claims", "tolerance", "batch_size", "instances", "cases", "files")),
    "own data": (ConfigError, lambda change: load(BASE | own_data(**change), SCHEMA),
                 _changes("id", "data", "activation", "depths", "beta")),
    "csv": (DataError, _take_csv, _text('01.,"\n\r;eE+-nay')),
    "npz": (ZerogapError, _take_npz, DAMAGE),
    "yaml": (ConfigError, lambda content: check_source(_file("fuzz.yaml", content)),
             _text("a:&*[]{}-, \n!?'\"|#")),
}
# fmt: on


@pytest.mark.parametrize(("error", "take", "inputs"), FUZZED.values(), ids=FUZZED)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(drawn=st.data())
def test_anything_is_taken_or_refused_in_one_line(
    error: type[Exception], take: Callable[[Any], object], inputs: Any, drawn: st.DataObject
) -> None:
    try:
        take(drawn.draw(inputs))
    except error as refusal:
        assert str(refusal).isprintable()
