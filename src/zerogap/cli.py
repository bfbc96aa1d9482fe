"""The command line: zerogap solve, audit, verify, schema, table, tables, claims, doctor,
completion.

Exit codes: 0 done; 1 a certificate was refused (verify), no bracket was found (solve), or something
does not work (doctor); 2 bad input, in one line; 130 interrupted; 141 whoever read the output
stopped reading.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

from zerogap import (
    __version__,
    threads,  # noqa: F401  before what loads numpy
)
from zerogap.checker.files import Unreadable
from zerogap.model.errors import DataError, MethodError, ZerogapError
from zerogap.model.files import plain

if TYPE_CHECKING:
    import pandas as pd

    from zerogap.checker.check import Verdict
    from zerogap.model.bounds import Bounds
    from zerogap.model.clock import Progress
    from zerogap.model.matrices import Array
    from zerogap.model.problem import Problem


class _Parser(argparse.ArgumentParser):
    """argparse without the usage block and without abbreviations: bad input gets one line."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


def build_parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    parser = _Parser(prog="zerogap", description="Certified duality gaps of neural networks.")
    parser.add_argument("--version", action="version", version=f"zerogap {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, parser_class=_Parser)

    solve = commands.add_parser("solve", help="bracket one training problem and prove the bracket")
    solve.add_argument("data", type=Path, help=".npz with arrays X and Y, or .csv with a header")
    _add_columns(solve)
    solve.add_argument("--activation", required=True, help="linear or relu")
    solve.add_argument("--architecture", required=True, help="standard or parallel")
    solve.add_argument("--depth", type=int, required=True, help="number of layers, at least 2")
    solve.add_argument(
        "--regularizer", default="weight_decay", help="weight_decay (default) or power"
    )
    solve.add_argument(
        "--beta",
        type=_numbers,
        default=[],
        help="regularisation; without it, interpolate; a path over several, comma-separated",
    )
    solve.add_argument(
        "--loss",
        default="squared",
        help="squared (default), huber:δ, quantile:q, logistic or hinge (labels -1 and 1), or "
        "cross-entropy (a column for each class)",
    )
    solve.add_argument(
        "--bias",
        default="none",
        help="none (default), decayed or free; or two of them, first layer and outputs",
    )
    solve.add_argument("--tolerance", type=float, default=1e-6, help="relative gap that is zero")
    solve.add_argument("--restarts", type=int, default=16, help="training runs where theory ends")
    solve.add_argument("--seed", type=int, default=0, help="seed of the training runs")
    solve.add_argument("--verbose", action="store_true", help="print which methods were tried")
    solve.set_defaults(run=_solve)
    _add_limits(solve)

    audit = commands.add_parser(
        "audit",
        help="how far a trained network provably is from the global optimum",
        description="With --weight-decay w the training problem is torch's: the mean (or sum) of "
        "its loss and w/2 times the sum of all squared weights and biases. With --beta it is the "
        "theory's: min of the loss summed over samples, squared as ½‖f − y‖², + beta R, "
        "R = ½Σ‖W‖² (or ½Σ‖W‖^L per layer with --regularizer power).",
    )
    audit.add_argument("data", type=Path, help=".npz with arrays X and Y, or .csv with a header")
    audit.add_argument(
        "weights",
        type=Path,
        help="torch state_dict or checkpoint (.pt, .pth, .ckpt, .bin), or .npz",
    )
    _add_columns(audit)
    audit.add_argument("--key", help="where in a checkpoint the state_dict is")
    strength = audit.add_mutually_exclusive_group(required=True)
    strength.add_argument("--weight-decay", type=float, help="torch's, of weights and biases")
    strength.add_argument("--beta", type=float, help="the theory's regularisation")
    audit.add_argument(
        "--loss",
        default="squared",
        help="squared (default), cross-entropy, logistic, hinge, huber:δ or quantile:q; with "
        "--weight-decay torch's of that kind",
    )
    audit.add_argument("--reduction", help="mean (default) or sum, with --weight-decay")
    audit.add_argument(
        "--bias", default="decayed", help="decayed (default) like the weights, or free of decay"
    )
    audit.add_argument("--activation", default="relu", help="relu (default) or linear")
    audit.add_argument("--architecture", help="standard or parallel (default: by the weights)")
    audit.add_argument("--regularizer", default="weight_decay", help="weight_decay or power")
    audit.set_defaults(run=_audit)
    _add_limits(audit)

    verify = commands.add_parser("verify", help="re-prove certificates without any solver")
    verify.add_argument(
        "paths", nargs="+", type=Path, help=".jsonl or .jsonl.gz files, or folders of them"
    )
    verify.add_argument("--each", action="store_true", help="one row for every certificate")
    verify.add_argument("--explain", action="store_true", help="every certificate in words")
    verify.add_argument("--cores", type=int, default=1, help="files to verify at a time")
    verify.add_argument(
        "--progress",
        action=argparse.BooleanOptionalAction,
        default=sys.stderr.isatty(),
        help="count files on standard error (default: on a terminal)",
    )
    verify.add_argument("--tolerance", type=float, default=1e-6, help="relative gap that is zero")
    verify.set_defaults(run=_verify)

    schema = commands.add_parser("schema", help="print the JSON schema of certificates")
    schema.set_defaults(run=_schema)
    table = commands.add_parser("table", help="print Table 1, measured")
    table.set_defaults(run=_table)
    tables = commands.add_parser("tables", help="compare the gap table with its certificates")
    tables.add_argument(
        "--from", dest="proofs", type=Path, required=True, help="folder of certificates"
    )
    tables.add_argument("--tolerance", type=float, default=1e-6, help="relative gap that is zero")
    tables.set_defaults(run=_tables)
    claims = commands.add_parser("claims", help="print the scoreboard of the paper's claims")
    claims.set_defaults(run=_claims)
    for command in (table, tables, claims):
        command.add_argument("--results", type=Path, default=Path("results"), help="results folder")
    doctor = commands.add_parser("doctor", help="what is installed, and whether it works")
    doctor.set_defaults(run=_doctor)
    completion = commands.add_parser("completion", help="print what completes words in a shell")
    completion.add_argument("shell", choices=("bash", "zsh", "fish"), help="bash, zsh or fish")
    completion.set_defaults(run=_completion)
    for command in (solve, audit, verify, table, tables, claims, doctor):
        command.add_argument("--json", action="store_true", help="print JSON")
    return parser


def _add_columns(command: argparse.ArgumentParser) -> None:
    """Which columns of a .csv are what."""
    command.add_argument("--targets", help="target columns of a .csv, comma-separated; or classes")
    command.add_argument("--drop", help="columns of a .csv to leave out, comma-separated")
    command.add_argument(
        "--standardize", action="store_true", help="features of mean zero and variance one"
    )


def _add_limits(command: argparse.ArgumentParser) -> None:
    """What solve and audit share: when to stop, what to show meanwhile, where the proof goes."""
    command.add_argument(
        "--gap",
        type=float,
        help="relative gap that is narrow enough (default: the tolerance, or 1e-3 where the "
        "problem is too large for exact methods)",
    )
    command.add_argument("--seconds", type=float, help="limit on all of it, the proof included")
    command.add_argument("--certificate", type=Path, help="write the certificate here (.jsonl)")
    command.add_argument(
        "--network",
        type=Path,
        help="write the best network here: .npz, or a torch state_dict (.pt)",
    )
    command.add_argument(
        "--progress",
        action=argparse.BooleanOptionalAction,
        default=sys.stderr.isatty(),
        help="show the bracket so far on standard error (default: on a terminal)",
    )


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code."""
    given = build_parser().parse_args(arguments)
    try:
        code = int(given.run(given))
        sys.stdout.flush()
        return code
    except (ZerogapError, Unreadable) as error:
        print(f"zerogap {given.command}: {error}", file=sys.stderr)
        return 1 if isinstance(error, MethodError) else 2
    except ModuleNotFoundError as error:
        extra = "completion" if given.command == "completion" else "replication"
        needs = f"needs {error.name}; install it, or all of pip install 'zerogap[{extra}]'"
        print(f"zerogap {given.command}: {needs}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # `zerogap claims | head` has what it wants; what Python still holds goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except OSError as error:
        print(f"zerogap {given.command}: {error}", file=sys.stderr)
        return 2
    except MemoryError:
        print(f"zerogap {given.command}: out of memory; give it less at once", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _solve(given: argparse.Namespace) -> int:
    from zerogap.solving.certificates import write_jsonl
    from zerogap.solving.solver import solve_path
    from zerogap.trained.files import write_weights

    _require_outputs(given)
    if given.network is not None and len(given.beta or [None]) > 1:
        raise DataError("--network writes one network; accepted beside it is one --beta")
    problem = _problem(given, given.depth, given.beta[0] if given.beta else None)
    path: list[Bounds] = []
    with _interruptible(given.progress) as (progress, stopped):
        betas, options = given.beta or [None], {
            "tolerance": given.tolerance, "gap": given.gap, "seconds": given.seconds,
            "progress": progress, "seed": given.seed, "restarts": given.restarts,
        }  # fmt: skip
        for bounds in solve_path(problem, betas, **options):
            path.append(bounds)
            if stopped():
                break
    if given.certificate is not None:
        write_jsonl(given.certificate, [bounds.certificate for bounds in path])
    if given.network is not None:
        write_weights(given.network, path[0].network)
    summaries = [_summary(beta, bounds) for beta, bounds in zip(betas, path, strict=False)]
    if given.json:
        _print_json(summaries if len(betas) > 1 else summaries[0])
    elif len(betas) > 1:
        shown = ["beta", "primal", "dual", "relative_gap", "width", "status", "certified"]
        _print_rows([shown, *([summary[name] for name in shown] for summary in summaries)])
    else:
        _print_bounds(path[0], given.verbose)
        if not any(W.any() for branch in path[0].weights.branches for W in branch):
            _print_hint(problem)
    return 0


def _summary(beta: float | None, bounds: Bounds) -> dict[str, Any]:
    return {
        "beta": beta,
        "primal": bounds.primal,
        "dual": bounds.dual,
        "gap": bounds.gap,
        "relative_gap": bounds.relative_gap,
        "status": bounds.status,
        "missing": bounds.missing,
        "primal_method": bounds.primal_method,
        "dual_method": bounds.dual_method,
        "exact_primal": bounds.exact_primal,
        "exact_dual": bounds.exact_dual,
        "width": bounds.weights.width,
        "certified": bounds.certified,
    }


def _print_bounds(bounds: Bounds, verbose: bool) -> None:
    print(f"primal       {bounds.primal:.9g}   ({bounds.primal_method})")
    print(f"dual         {bounds.dual:.9g}   ({bounds.dual_method})")
    print(f"gap          {bounds.gap:.3g}   (relative {bounds.relative_gap:.3g})")
    print(f"status       {bounds.status}")
    if bounds.missing:
        print(f"missing      {bounds.missing}")
    _print_certified(bounds.verdict, bounds.status)
    for name, happened in bounds.methods if verbose else ():
        print(f"method       {name}: {happened}")


def _print_hint(problem: Problem) -> None:
    """Below which beta networks of two layers are more than constants."""
    if problem.depth == 2 and problem.beta is not None and problem.first_bias != "free":
        from zerogap.solving.fitted import beta_max

        print(f"note         constant outputs are best from beta = {beta_max(problem):.3g} on")


def _names(text: str | None) -> list[str]:
    return text.split(",") if text else []


def _numbers(text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a number, or several with commas between them"
        ) from None


def _data(given: argparse.Namespace) -> tuple[Array, Array]:
    """X and Y as the command asks for them."""
    from zerogap.model.data import read_file, standardized

    X, Y = read_file(given.data, _names(given.targets), _names(given.drop))
    return standardized(X) if given.standardize else X, Y


def _problem(given: argparse.Namespace, depth: int, beta: float | None) -> Problem:
    from zerogap.model.problem import Problem

    X, Y = _data(given)
    return Problem(
        X,
        Y,
        activation=given.activation,
        architecture=given.architecture,
        depth=depth,
        regularizer=given.regularizer,
        beta=beta,
        loss=given.loss,
        bias=tuple(given.bias.split(",")) if "," in given.bias else given.bias,
    )


def _require_outputs(given: argparse.Namespace) -> None:
    """Raise DataError now rather than after the work where something cannot be written."""
    from zerogap.trained.files import require_weights_file

    _require_writable(given.certificate)
    if given.network is not None:
        require_weights_file(given.network)
        _require_writable(given.network)


def _require_writable(path: Path | None) -> None:
    """Raise DataError where a file cannot be written."""
    if path is None:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        TemporaryFile(dir=path.parent).close()
        folder = path.is_dir()
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise DataError(f"{path} cannot be written: {why}") from None
    if folder or not path.name:
        raise DataError(f"{path} cannot be written: it is a folder; accepted is a file name")


def _audit(given: argparse.Namespace) -> int:
    from zerogap.solving.audit import words
    from zerogap.solving.certificates import write_jsonl
    from zerogap.trained.audit import audit_stated, stated
    from zerogap.trained.files import read_weights, write_weights
    from zerogap.trained.objective import Criterion, Decay

    _require_outputs(given)
    if given.bias not in ("decayed", "free"):
        raise DataError(f"--bias is {given.bias!r}; accepted is decayed or free")
    layers = read_weights(given.weights, given.activation, given.key)
    X, Y = _data(given)
    if given.beta is None:
        criterion = Criterion.of(given.loss, given.reduction)
    elif given.reduction is not None:
        raise DataError("--reduction is for --weight-decay; with --beta the loss is summed")
    else:
        criterion = Criterion(given.loss, 1.0, "sum")
    rate = given.weight_decay if given.beta is None else given.beta
    decay = Decay.constant(layers, rate, given.bias == "decayed")
    targets = criterion.targets(Y, len(X), layers.outputs)
    own = stated(
        layers, X, targets, criterion, decay,
        architecture=given.architecture, regularizer=given.regularizer,
    )  # fmt: skip
    with _interruptible(given.progress) as (progress, _):
        found = audit_stated(
            own, layers, decay, gap=given.gap, seconds=given.seconds, progress=progress
        )
    if given.certificate is not None:
        write_jsonl(given.certificate, [found.certificate])
    if given.network is not None:
        write_weights(given.network, found.better)
    if given.json:
        values = (
            "objective",
            "loss",
            "penalty",
            "rounding",
            "lower",
            "gap",
            "relative_gap",
            "best",
        )
        fields = (*values, "lower_method", "best_method", "certified", "notes")
        _print_json({name: getattr(found, name) for name in fields})
    else:
        print(f"network      {layers.shape}, {layers.activation}")
        print("\n".join(words(found)))
    return 0


def _print_certified(verdict: Verdict | None, status: str) -> None:
    """Whether the checker proves what was just printed, and where it says less."""
    assert verdict is not None
    if not verdict.accepted:
        print(f"certified    no: {verdict.reason}")
    elif status != verdict.status:
        print(f"certified    yes, as {verdict.status} (ε = {verdict.epsilon:.1g})")
    else:
        print("certified    yes")


@contextmanager
def _interruptible(
    shown: bool,
) -> Iterator[tuple[Callable[[Progress], None], Callable[[], bool]]]:
    """Shows progress if asked to; the first Ctrl-C asks for what there is, the second ends all.

    Gives what shows progress, and whether there was a Ctrl-C.
    """
    from zerogap.model import clock

    interrupts = []

    def show(now: Progress) -> None:
        if shown:
            line = f"{now.seconds:7.1f} s   primal {now.primal:.9g}   dual {now.dual:.9g}"
            line += f"   relative gap {now.relative_gap:.3g}"
            print(f"\r{line:<78}", end="", file=sys.stderr, flush=True)

    def interrupt(number: int, frame: FrameType | None) -> None:
        if not clock.stop():
            raise KeyboardInterrupt
        interrupts.append(number)
        print("\ninterrupted: proving what was found; again to give up", file=sys.stderr)

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield show, lambda: bool(interrupts)
    finally:
        signal.signal(signal.SIGINT, before)
        if shown:
            print(file=sys.stderr)


_COUNTS = ("accepted", "refused", "zero", "positive", "open", "up to ε")


def _verify(given: argparse.Namespace) -> int:
    from zerogap.checker.files import scan
    from zerogap.checker.workers import verify_files
    from zerogap.model.bounds import require_tolerance

    require_tolerance(given.tolerance)
    if given.cores < 1:
        raise DataError(f"--cores is {given.cores}; accepted is a whole number from 1")
    files, skipped = scan(given.paths)
    for reason in skipped:
        print(f"zerogap verify: {reason}", file=sys.stderr)
    unread = 0
    each: list[dict[str, Any]] = []
    rows: list[dict[str, Any]] = []
    try:
        for file, verdicts, fault in verify_files(files, given.tolerance, given.cores):
            if fault:
                unread += 1
                print(f"zerogap verify: {fault}", file=sys.stderr)
            counts: dict[str, Any] = {"file": str(file), **dict.fromkeys(_COUNTS, 0)}
            rows.append(counts)
            for verdict in verdicts:
                counts["accepted" if verdict["accepted"] else "refused"] += 1
                status, *only = verdict["status"].split()
                counts[status] += verdict["accepted"]
                counts["up to ε"] += bool(only)
                each.append({"file": str(file), **verdict})
                if not verdict["accepted"]:
                    reason = f"{file} line {verdict['line']}: refused: {verdict['reason']}"
                    print(reason, file=sys.stderr)
            if given.progress:
                print(f"\r{len(rows)}/{len(files)} files", end="", file=sys.stderr, flush=True)
    finally:  # an interrupted check still reports what it proved
        if given.progress:
            print(file=sys.stderr)
        if each:
            _print_verdicts(rows, each, given)
    if not each and not unread:
        print("zerogap verify: there is no certificate in what was given", file=sys.stderr)
    return 2 if unread else int(not each or any(row["refused"] for row in rows))


def _schema(given: argparse.Namespace) -> int:
    from importlib.resources import files

    text = files("zerogap.checker") / "certificate.schema.json"
    print(text.read_text(encoding="utf-8"), end="")
    return 0


def _print_verdicts(
    rows: list[dict[str, Any]], each: list[dict[str, Any]], given: argparse.Namespace
) -> None:
    if given.json:
        refused = sum(row["refused"] for row in rows)
        _print_json({"files": rows, "certificates": each, "refused": refused})
    elif given.explain:
        _print_explained(each)
    elif given.each:
        shown = ["file", "line", "id", "accepted", "status", "epsilon", "primal", "dual"]
        shown += ["relative_gap"]
        _print_rows([shown, *([verdict[name] for name in shown] for verdict in each)])
    else:
        total = ["total", *(sum(row[name] for row in rows) for name in _COUNTS)]
        _print_rows([["file", *_COUNTS], *(list(row.values()) for row in rows), total])
        for line in _left_open(each):
            print(line)


def _left_open(each: list[dict[str, Any]]) -> list[str]:
    """What the registry says of problems that stay open, a line for every claim that has some."""
    left = Counter(
        verdict["id"].partition("/")[0]
        for verdict in each
        if verdict["accepted"] and verdict["status"].startswith("open")
    )
    if not left:
        return []
    from zerogap.replication.claims import CLAIMS

    explained = (claim for claim in CLAIMS if claim.unproved and left[claim.id])
    return [f"{left[claim.id]} open of {claim.id}: {claim.unproved}" for claim in explained]


def _print_explained(each: list[dict[str, Any]]) -> None:
    """What certificates claim, by which argument, and with how much slack."""
    from zerogap.checker.check import Verdict
    from zerogap.checker.files import lines_of, parsed
    from zerogap.checker.words import explained

    names = Verdict.__dataclass_fields__
    rows = {(row["file"], row["line"]): row for row in each}
    for file in dict.fromkeys(row["file"] for row in each):
        for number, line in lines_of(Path(file)):
            if (row := rows.get((file, number))) is not None:
                print(f"{file} line {number} {row['id']}".rstrip())
                verdict = Verdict(**{name: row[name] for name in names})
                print("\n".join(f"  {text}" for text in explained(parsed(line, file), verdict)))


def _print_rows(rows: list[list[Any]]) -> None:
    """Print rows in columns, flush right, numbers to seven digits."""
    texts = [[f"{x:.7g}" if isinstance(x, float) else str(x) for x in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    for row in texts:
        print("  ".join(text.rjust(width) for text, width in zip(row, widths, strict=True)))


def _table(given: argparse.Namespace) -> int:
    from zerogap.replication.tables.frames import read
    from zerogap.replication.tables.table1 import table1_grid

    _require_claims(given.results)
    frame = read(given.results / "tables", "table1.csv")
    return _print_frame(frame, given.json, table1_grid(frame).to_markdown())


def _tables(given: argparse.Namespace) -> int:
    from zerogap.model.bounds import require_tolerance
    from zerogap.replication.tables.rederived import differences, from_certificates

    require_tolerance(given.tolerance)
    derived = from_certificates(given.proofs, given.tolerance)
    said = differences(derived, given.results / "tables")
    if given.json:
        rows = json.loads(derived.to_json(orient="records"))
        _print_json({"rows": rows, "differences": said})
    else:
        print("\n".join(said) or f"{len(derived)} rows, equal to those of the table")
    return 1 if said else 0


def _claims(given: argparse.Namespace) -> int:
    from zerogap.replication.tables.frames import scoreboard_of_run

    _require_claims(given.results)
    frame = scoreboard_of_run(given.results / "tables")
    return _print_frame(frame, given.json, frame.to_markdown(index=False))


def _doctor(given: argparse.Namespace) -> int:
    from zerogap.doctor import examine

    report = examine()
    if given.json:
        _print_json(report.as_json())
    else:
        print("\n".join(report.lines()))
    return 0 if report.healthy else 1


def _completion(given: argparse.Namespace) -> int:
    import shtab

    parser = build_parser()
    (commands,) = (each for each in parser._actions if each.choices and each.dest == "command")
    for command in dict(commands.choices or {}).values():
        for action in command._actions:
            if action.type is Path:
                action.complete = shtab.FILE
    print(shtab.complete(parser, given.shell))
    return 0


def _require_claims(results: Path) -> None:
    """Raise DataError, with what there is instead, where a run of own data tested no claim."""
    from zerogap.replication.claims.registry import OWN_DATA
    from zerogap.replication.tables.frames import read

    tables = results / "tables"
    if (tables / "claims.csv").exists() or not (tables / "gaps.csv").exists():
        return
    if set(read(tables, "gaps.csv")["claim"]) == {OWN_DATA}:
        raise DataError(
            f"{results} is a run of your own data, which tests no claim; its bounds and verdicts "
            f"are in {tables / 'gaps.csv'}"
        )


def _print_frame(frame: pd.DataFrame, as_json: bool, text: str) -> int:
    if as_json:
        _print_json(json.loads(frame.to_json(orient="records")))
    else:
        print(text)
    return 0


def _print_json(value: Any) -> None:
    print(json.dumps(plain(value), indent=1, allow_nan=False))


if __name__ == "__main__":
    sys.exit(main())
