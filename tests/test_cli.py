"""The command line as its user meets it; in a process of its own where that matters."""

import gzip
import io
import json
import os
import signal
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from functools import partial
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from zerogap.checker.files import read_jsonl
from zerogap.cli import main
from zerogap.replication.tables.frames import GAP_COLUMNS
from zerogap.solving.certificates import write_jsonl


def zerogap(*arguments: object) -> subprocess.CompletedProcess[str]:
    """What a command says and returns, without the start of a process."""
    command = [str(argument) for argument in arguments]
    with redirect_stdout(io.StringIO()) as said, redirect_stderr(io.StringIO()) as complained:
        try:
            code = main(command)
        except SystemExit as stop:  # argparse
            code = int(stop.code or 0)
    return subprocess.CompletedProcess(command, code, said.getvalue(), complained.getvalue())


OPTIONS = ("--architecture", "parallel", "--activation", "relu", "--depth", "3")
POWER = (*OPTIONS, "--regularizer", "power")


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
    done = zerogap("solve", data, *POWER, "--certificate", proof, "--json")
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


def test_an_open_verdict_says_what_is_missing(data: Path) -> None:
    options = ("--activation", "relu", "--depth", "3", "--beta", "0.05", "--restarts", "0")
    said = zerogap("solve", data, "--architecture", "standard", *options).stdout
    assert "status       open\nmissing      the optimum is known to " in said
    assert "missing" not in zerogap("solve", data, *POWER).stdout


@pytest.mark.parametrize("name", ["found.npz", "found.pt"])
@pytest.mark.parametrize("architecture", ["standard", "parallel"])
def test_networks_are_written_and_audited(
    data: Path, tmp_path: Path, architecture: str, name: str
) -> None:
    options = ("--activation", "relu", "--architecture", architecture, "--depth", "2")
    options += ("--beta", "0.05", "--bias", "decayed", "--network", tmp_path / name, "--json")
    solved = zerogap("solve", data, *options)
    assert solved.returncode == 0, solved.stderr
    again = zerogap("audit", data, tmp_path / name, "--beta", "0.05", "--json")
    assert again.returncode == 0, again.stderr
    primal = json.loads(solved.stdout)["primal"]
    assert json.loads(again.stdout)["objective"] == pytest.approx(primal)


def test_the_largest_beta_is_told_where_outputs_are_constant(data: Path) -> None:
    options = ("--activation", "relu", "--architecture", "standard", "--depth", "2", "--beta")
    told = zerogap("solve", data, *options, "1e4").stdout
    most = float(told.split("best from beta = ")[1].split()[0])
    assert "(zero network)" in told
    for beta, constant in ((0.9 * most, False), (1.1 * most, True)):
        assert ("constant outputs" in zerogap("solve", data, *options, beta).stdout) == constant


def test_files_are_verified_side_by_side_in_order_and_compressed(
    data: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "proofs"
    solved = zerogap("solve", data, *POWER, "--certificate", folder / "b.jsonl")
    assert solved.returncode == 0, solved.stderr
    good = read_jsonl(folder / "b.jsonl")
    write_jsonl(folder / "a.jsonl.gz", good * 2)
    bad = {**good[0], "epsilon": "nan"}
    write_jsonl(folder / "inner" / "c.jsonl", [good[0], bad])
    assert (folder / "a.jsonl.gz").stat().st_size < (folder / "b.jsonl").stat().st_size
    found = [zerogap("verify", folder, "--json", "--cores", cores) for cores in (1, 2)]
    assert found[0].returncode == found[1].returncode == 1
    one, two = (json.loads(done.stdout) for done in found)
    for row in (*one["certificates"], *two["certificates"]):
        del row["seconds"]
    assert one == two
    assert [row["accepted"] for row in one["certificates"]] == [True, True, True, True, False]
    assert [Path(row["file"]).name for row in one["files"]] == ["a.jsonl.gz", "b.jsonl", "c.jsonl"]
    assert one["refused"] == 1
    shown = zerogap("verify", folder / "a.jsonl.gz", "--each", "--progress")
    assert shown.returncode == 0
    assert len(shown.stdout.strip().splitlines()) == 3
    assert "1/1 files" in shown.stderr


def test_what_stays_open_by_design_is_explained_at_the_end(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    from zerogap.cli import main

    def row(name: str, status: str) -> dict[str, object]:
        return {"id": name, "accepted": True, "status": status, "line": 1}

    rows = [row("branches/branches/m1", "open"), row("two-layer/two-layer/a", "open up to ε")]
    rows += [row("branches/branches/m2", "open"), row("branches/branches/m3", "zero")]
    found = [(tmp_path / "a.jsonl", rows, "")]
    monkeypatch.setattr("zerogap.checker.workers.verify_files", lambda *_: found)
    (tmp_path / "a.jsonl").write_text("{}")
    assert main(["verify", str(tmp_path), "--no-progress"]) == 0
    *_, total, last = capsys.readouterr().out.splitlines()
    assert total.split()[0] == "total"
    assert last.startswith("2 open of branches: with fewer branches than suffice")


def test_a_truncated_or_endless_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "cut.jsonl.gz"
    write_jsonl(path, [{"a": list(range(1000))}])
    path.write_bytes(path.read_bytes()[:-20])
    done = zerogap("verify", path)
    assert done.returncode == 2
    assert f"cannot read {path}" in done.stderr
    with gzip.open(path, "wb") as file:
        for _ in range(260):
            file.write(b"0" * 2**20)
    done = zerogap("verify", path)
    assert done.returncode == 2
    assert "longer than" in done.stderr


def test_solve_reads_csv_columns(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("a,b,y\n1,0,2\n0,1,3\n")
    done = zerogap(
        "solve", path, "--targets", "y", "--architecture", "standard", "--activation", "linear",
        "--depth", "2",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "status       zero" in done.stdout
    assert "certified    yes" in done.stdout


def test_the_version_is_that_of_the_package() -> None:
    for module in ("zerogap", "zerogap.cli"):
        command = [sys.executable, "-m", module, "--version"]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        assert said == f"zerogap {version('zerogap')}\n"


TWO = ("--architecture", "standard", "--activation", "relu", "--depth", "2")


def test_a_path_over_beta_is_a_table_and_a_certificate_for_each(data: Path, tmp_path: Path) -> None:
    proof = tmp_path / "proof.jsonl"
    asked = ("solve", data, *TWO, "--beta", "1,0.1,0.01", "--certificate", proof)
    done = zerogap(*asked, "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert [row["beta"] for row in found] == [1, 0.1, 0.01]
    assert [row["primal"] for row in found] == sorted((r["primal"] for r in found), reverse=True)
    for row in found:
        alone = zerogap("solve", data, *TWO, "--beta", row["beta"], "--json")
        assert json.loads(alone.stdout)["dual"] == pytest.approx(row["dual"], rel=1e-6)
    assert len(read_jsonl(proof)) == 3
    assert zerogap("verify", proof).returncode == 0
    shown = zerogap(*asked, "--progress")
    assert len(shown.stdout.strip().splitlines()) == 4
    assert "relative gap" in shown.stderr


def test_an_interrupt_ends_with_the_best_bracket_and_its_proof(tmp_path: Path) -> None:
    """Forty samples in ten dimensions are not solved in time, and take none to be proved."""
    rng = np.random.default_rng(0)
    path, proof = tmp_path / "data.npz", tmp_path / "proof.jsonl"
    np.savez(path, X=rng.normal(size=(40, 10)), Y=rng.normal(size=(40, 1)))
    asked = ("solve", path, *TWO, "--beta", "0.5,0.4", "--gap", "0", "--progress")
    heard = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    with subprocess.Popen(
        [sys.executable, "-m", "zerogap.cli", *map(str, asked), "--certificate", str(proof)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=heard,
    ) as running:  # fmt: skip
        assert running.stderr is not None
        assert running.stderr.read(20)  # it tells of a bracket
        running.send_signal(signal.SIGINT)
        shown, said = running.communicate(timeout=600)
    assert running.returncode == 0, said
    assert "interrupted" in said
    assert len(shown.strip().splitlines()) == 2  # a head, and the first beta
    assert zerogap("verify", proof).returncode == 0


BAD = [
    (("solve", "missing.npz", *OPTIONS), "cannot be read"),
    (("solve", "data.txt", *OPTIONS), "accepted are .npz and .csv"),
    (("solve", "{data}", "--architecture", "parallel", "--activation", "relu"), "--depth"),
    (("solve", "{data}", *OPTIONS[:-1], "1"), "depth is 1"),
    (("solve", "{data}", *OPTIONS[:-1], "deep"), "invalid int value"),
    (("solve", "{data}", *OPTIONS, "--beta", "-1"), "beta is -1.0"),
    (("solve", "{data}", *OPTIONS, "--beta", "1,,2"), "'1,,2' is not a number"),
    (("solve", "{data}", *OPTIONS, "--tolerance", "2"), "tolerance is 2.0"),
    (("solve", "{data}", *OPTIONS, "--restarts", "-2"), "restarts is -2"),
    (("solve", "{data}", *OPTIONS, "--fast"), "unrecognized arguments"),
    (("verify", "nowhere"), "does not exist"),
    (("verify", "{data}", "--cores", "0"), "--cores is 0"),
    (("verify", "{data}"), "line 1 is not JSON"),
    (("solve", "{data}", *OPTIONS, "--gap", "1"), "gap is 1.0"),
    (("solve", "{data}", *OPTIONS, "--seconds", "0"), "seconds is 0.0"),
    (("claims", "--results", "nowhere"), "`snakemake` makes it"),
    (("table", "--results", "nowhere"), "`snakemake` makes it"),
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
    assert zerogap("solve", data, *POWER, "--certificate", proof).returncode == 0
    program = (
        "import sys\n"
        "for name in ('torch', 'cvxpy', 'clarabel', 'scipy'): sys.modules[name] = None\n"
        "from zerogap.cli import main\n"
        f"sys.exit(main(['verify', {str(proof)!r}, '--json']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["refused"] == 0


EXTRAS = (
    *("cvxpy", "jsonschema", "matplotlib", "pandas", "seaborn", "sklearn", "snakemake"),
    *("shtab", "tabulate", "typst", "yaml"),
)
BARE = f"""
import sys
sys.modules.update(dict.fromkeys({EXTRAS!r}))
from zerogap.cli import main
sys.exit(main(sys.argv[1:]))
"""


def bare(*arguments: object) -> subprocess.CompletedProcess[str]:
    """The command line where nothing but what the library needs is installed."""
    command = [sys.executable, "-c", BARE, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)


def test_the_library_alone_solves_and_verifies_and_says_what_else_a_command_needs(
    data: Path, tmp_path: Path
) -> None:
    proof = tmp_path / "proof.jsonl"
    done = bare("solve", data, *POWER, "--certificate", proof, "--verbose")
    assert done.returncode == 0, done.stderr
    assert "two layers by moments: it is for ReLU networks of two layers\n" in done.stdout
    assert done.stdout.endswith("path program: used\n")
    verified = bare("verify", proof, "--each")
    assert verified.returncode == 0, verified.stderr
    assert verified.stdout.split()[:3] == ["file", "line", "id"]
    missing = bare("claims", "--results", tmp_path)
    assert missing.returncode == 2
    assert missing.stderr.startswith("zerogap claims: needs pandas; install it")


def run_of(folder: Path, claim: str) -> Path:
    """Results whose gap table has one problem of a claim, and no scoreboard."""
    tables = folder / "results" / "tables"
    tables.mkdir(parents=True)
    pd.DataFrame([{"claim": claim}], columns=GAP_COLUMNS).to_csv(tables / "gaps.csv", index=False)
    return folder / "results"


@pytest.mark.parametrize("command", ["claims", "table"])
def test_a_run_of_own_data_has_no_claims_and_says_what_it_has(command: str, tmp_path: Path) -> None:
    results = run_of(tmp_path, "own-data")
    done = zerogap(command, "--results", results)
    assert done.returncode == 2
    assert "is a run of your own data, which tests no claim" in done.stderr
    assert f"{results}/tables/gaps.csv" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_run_of_claims_without_their_scoreboard_is_unfinished(tmp_path: Path) -> None:
    done = zerogap("claims", "--results", run_of(tmp_path, "two-layer"))
    assert done.returncode == 2
    assert "`snakemake` makes it" in done.stderr


def test_a_reader_that_has_enough_is_no_error(data: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "zerogap.cli", "solve", str(data), *POWER, "--json"],
        stdout=writer, stderr=subprocess.PIPE, text=True, timeout=600, check=False,
    )  # fmt: skip
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, "")


def test_the_command_line_takes_one_thread_unless_told_otherwise() -> None:
    script = "import zerogap.cli, os; print(os.environ['OMP_NUM_THREADS'])"
    for given, found in ({}, "1"), ({"OMP_NUM_THREADS": "3"}, "3"):
        environment = {k: v for k, v in os.environ.items() if not k.endswith("_NUM_THREADS")}
        line = subprocess.run(
            [sys.executable, "-c", script], env=environment | given, capture_output=True, text=True
        )
        assert line.stdout.strip() == found, line.stderr


def test_a_certificate_is_explained_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    """Every golden certificate, accepted or refused; of each kind what its module says first."""
    golden = Path(__file__).resolve().parents[1] / "docs/golden"
    assert main(["verify", str(golden), "--explain", "--no-progress"]) == 1
    said = capsys.readouterr().out
    count = len(list(golden.rglob("*.jsonl")))
    assert said.count("\n  problem   least ") == count
    assert said.count("\n  refused   ") == len(list((golden / "refused").glob("*.jsonl")))
    assert "c(Λ) by linear: Linear networks of any depth" in said
    assert said.count("(proved ") >= 2 * said.count("\n  so        the gap is ") > 20
