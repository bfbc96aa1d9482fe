"""The command line as its user meets it, in a subprocess."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest


def zerogap(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "zerogap.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


OPTIONS = ("--architecture", "parallel", "--activation", "relu", "--depth", "3")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    path = tmp_path / "data.npz"
    np.savez(path, X=rng.normal(size=(5, 2)), Y=rng.normal(size=(5, 1)))
    return path


def test_solve_closes_a_parallel_network_and_its_certificate_verifies(
    data: Path, tmp_path: Path
) -> None:
    proof = tmp_path / "proof.jsonl"
    done = zerogap(
        "solve", data, *OPTIONS, "--regularizer", "power", "--certificate", proof, "--json"
    )
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert summary["status"] == "zero"
    assert abs(summary["relative_gap"]) <= 1e-6
    assert zerogap("verify", proof).returncode == 0
    text = proof.read_text()
    claimed = json.loads(text)["claimed"]["dual"]
    larger = (float.fromhex(claimed) * 1.001).hex()
    proof.write_text(text.replace(claimed, larger))
    refused = zerogap("verify", tmp_path)
    assert refused.returncode == 1
    assert "claimed.dual" in refused.stderr


def test_solve_reads_csv_columns(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("a,b,y\n1,0,2\n0,1,3\n")
    done = zerogap(
        "solve", path, "--targets", "y", "--architecture", "standard", "--activation", "linear",
        "--depth", "2",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "status       zero" in done.stdout


BAD = [
    (("solve", "missing.npz", *OPTIONS), "cannot be read"),
    (("solve", "data.txt", *OPTIONS), "accepted are .npz and .csv"),
    (("solve", "{data}", "--architecture", "parallel", "--activation", "relu"), "--depth"),
    (("solve", "{data}", *OPTIONS[:-1], "1"), "depth is 1"),
    (("solve", "{data}", *OPTIONS[:-1], "deep"), "invalid int value"),
    (("solve", "{data}", *OPTIONS, "--beta", "-1"), "beta is -1.0"),
    (("solve", "{data}", *OPTIONS, "--tolerance", "2"), "tolerance is 2.0"),
    (("solve", "{data}", *OPTIONS, "--restarts", "-2"), "restarts is -2"),
    (("solve", "{data}", *OPTIONS, "--fast"), "unrecognized arguments"),
    (("verify", "nowhere"), "does not exist"),
    (("claims", "--results", "nowhere"), "`snakemake` makes it"),
    (("table", "--results", "nowhere"), "`snakemake` makes it"),
    (("audit",), "invalid choice"),
]


@pytest.mark.parametrize(("arguments", "said"), BAD, ids=[said for _, said in BAD])
def test_bad_input_gets_one_line_and_exit_code_two(arguments: tuple, said: str, data: Path) -> None:
    done = zerogap(*(str(a).format(data=data) for a in arguments))
    assert done.returncode == 2
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_files_are_never_executed(tmp_path: Path) -> None:
    path = tmp_path / "evil.npz"
    np.savez(path, X=np.array([{"a": 1}], dtype=object), Y=np.ones(1))
    done = zerogap("solve", path, *OPTIONS)
    assert done.returncode == 2
    assert "not a plain .npz file" in done.stderr


def test_the_checker_runs_where_no_solver_can_be_imported(data: Path, tmp_path: Path) -> None:
    proof = tmp_path / "proof.jsonl"
    assert zerogap("solve", data, *OPTIONS, "--certificate", proof).returncode == 0
    program = (
        "import sys\n"
        "for name in ('torch', 'cvxpy', 'clarabel', 'scipy'): sys.modules[name] = None\n"
        "from zerogap.cli import main\n"
        f"sys.exit(main(['verify', {str(proof)!r}, '--json']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["refused"] == 0
