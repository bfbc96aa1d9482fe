"""The command line: zerogap solve, verify, table, claims.

Exit codes: 0 done; 1 a certificate was refused (verify), or no bracket was found (solve); 2 bad
input, in one line; 130 interrupted.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any, NoReturn

from zerogap.errors import DataError, MethodError, ZerogapError

if TYPE_CHECKING:
    import pandas as pd


class _Parser(argparse.ArgumentParser):
    """argparse without the usage block and without abbreviations: bad input gets one line."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


def build_parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    parser = _Parser(prog="zerogap", description="Certified duality gaps of neural networks.")
    commands = parser.add_subparsers(dest="command", required=True, parser_class=_Parser)

    solve = commands.add_parser("solve", help="bracket one training problem and prove the bracket")
    solve.add_argument("data", type=Path, help=".npz with arrays X and Y, or .csv with a header")
    solve.add_argument("--targets", help="target columns of a .csv, comma-separated")
    solve.add_argument("--activation", required=True, help="linear or relu")
    solve.add_argument("--architecture", required=True, help="standard or parallel")
    solve.add_argument("--depth", type=int, required=True, help="number of layers, at least 2")
    solve.add_argument(
        "--regularizer", default="weight_decay", help="weight_decay (default) or power"
    )
    solve.add_argument("--beta", type=float, help="regularisation; without it, interpolate")
    solve.add_argument("--tolerance", type=float, default=1e-6, help="relative gap that is zero")
    solve.add_argument("--restarts", type=int, default=16, help="training runs where theory ends")
    solve.add_argument("--seed", type=int, default=0, help="seed of the training runs")
    solve.add_argument("--certificate", type=Path, help="write the certificate here (.jsonl)")
    solve.set_defaults(run=_solve)

    verify = commands.add_parser("verify", help="re-prove certificates without any solver")
    verify.add_argument("paths", nargs="+", type=Path, help=".jsonl files or folders of them")
    verify.add_argument("--tolerance", type=float, default=1e-6, help="relative gap that is zero")
    verify.set_defaults(run=_verify)

    table = commands.add_parser("table", help="print Table 1, measured")
    table.set_defaults(run=_table)
    claims = commands.add_parser("claims", help="print the scoreboard of the paper's claims")
    claims.set_defaults(run=_claims)
    for command in (table, claims):
        command.add_argument("--results", type=Path, default=Path("results"), help="results folder")
    for command in (solve, verify, table, claims):
        command.add_argument("--json", action="store_true", help="print JSON")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code."""
    given = build_parser().parse_args(arguments)
    try:
        return int(given.run(given))
    except (MethodError, ZerogapError) as error:
        print(f"zerogap {given.command}: {error}", file=sys.stderr)
        return 1 if isinstance(error, MethodError) else 2
    except OSError as error:
        print(f"zerogap {given.command}: {error}", file=sys.stderr)
        return 2
    except MemoryError:
        print(f"zerogap {given.command}: out of memory; give it less at once", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _solve(given: argparse.Namespace) -> int:
    from zerogap.certificates.format import write_jsonl
    from zerogap.data import read_file
    from zerogap.problem import Problem
    from zerogap.solver import solve

    if given.certificate is not None:
        _require_writable(given.certificate)
    X, Y = read_file(given.data, given.targets.split(",") if given.targets else None)
    problem = Problem(
        X,
        Y,
        activation=given.activation,
        architecture=given.architecture,
        depth=given.depth,
        regularizer=given.regularizer,
        beta=given.beta,
    )
    bounds = solve(problem, tolerance=given.tolerance, seed=given.seed, restarts=given.restarts)
    if given.certificate is not None:
        write_jsonl(given.certificate, [bounds.certificate])
    summary = {
        "primal": bounds.primal,
        "dual": bounds.dual,
        "gap": bounds.gap,
        "relative_gap": bounds.relative_gap,
        "status": bounds.status,
        "primal_method": bounds.primal_method,
        "dual_method": bounds.dual_method,
        "exact_primal": bounds.exact_primal,
        "exact_dual": bounds.exact_dual,
    }
    if given.json:
        _print_json(summary)
    else:
        print(f"primal       {bounds.primal:.9g}   ({bounds.primal_method})")
        print(f"dual         {bounds.dual:.9g}   ({bounds.dual_method})")
        print(f"gap          {bounds.gap:.3g}   (relative {bounds.relative_gap:.3g})")
        print(f"status       {bounds.status}")
    return 0


def _require_writable(path: Path) -> None:
    """Raise DataError now rather than after the work where a file cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        TemporaryFile(dir=path.parent).close()
        folder = path.is_dir()
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise DataError(f"{path} cannot be written: {why}") from None
    if folder or not path.name:
        raise DataError(f"{path} cannot be written: it is a folder; accepted is a file name")


def _verify(given: argparse.Namespace) -> int:
    from zerogap.problem import require_tolerance

    require_tolerance(given.tolerance)
    files = sorted(
        file
        for path in given.paths
        for file in (path.rglob("*.jsonl") if path.is_dir() else [path])
    )
    for path in given.paths:
        if not path.exists():
            raise DataError(f"{path} does not exist; accepted are .jsonl files and folders of them")
    if not files:
        raise DataError(f"{given.paths[0]} holds no .jsonl file")
    rows: list[dict[str, Any]] = []
    try:
        for done, file in enumerate(files, start=1):
            rows.append({"file": str(file)} | dict.fromkeys(_COUNTS, 0))
            _verify_file(file, given.tolerance, rows[-1])
            if sys.stderr.isatty():
                print(f"\r{done}/{len(files)} files", end="", file=sys.stderr, flush=True)
    except KeyboardInterrupt:  # an interrupted check still reports what it proved
        _print_counts(rows, given.json)
        raise
    _print_counts(rows, given.json)
    return 1 if any(row["refused"] for row in rows) else 0


_COUNTS = ("accepted", "refused", "zero", "positive", "open")


def _verify_file(file: Path, tolerance: float, counts: dict[str, Any]) -> None:
    """Re-prove the certificates of a file, counting along."""
    from zerogap.certificates.check import verify
    from zerogap.certificates.format import iterate_jsonl

    for place, certificate in enumerate(iterate_jsonl(file), start=1):
        proved = verify(certificate, tolerance=tolerance)
        counts["accepted" if proved.accepted else "refused"] += 1
        counts[proved.status] += proved.accepted
        if not proved.accepted:
            print(f"{file} line {place}: refused: {proved.reason}", file=sys.stderr)


def _print_counts(rows: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        _print_json({"files": rows, "refused": sum(row["refused"] for row in rows)})
        return
    import pandas as pd

    frame = pd.DataFrame(rows, columns=["file", *_COUNTS])
    total = {"file": "total", **frame.drop(columns="file").sum().to_dict()}
    print(pd.concat([frame, pd.DataFrame([total])]).to_string(index=False))


def _table(given: argparse.Namespace) -> int:
    from zerogap.tables import read, table1_grid

    frame = read(given.results / "tables", "table1.csv")
    return _print_frame(frame, given.json, table1_grid(frame).to_markdown())


def _claims(given: argparse.Namespace) -> int:
    from zerogap.tables import read

    frame = read(given.results / "tables", "claims.csv")
    return _print_frame(frame, given.json, frame.to_markdown(index=False))


def _print_frame(frame: pd.DataFrame, as_json: bool, text: str) -> int:
    if as_json:
        _print_json(json.loads(frame.to_json(orient="records")))
    else:
        print(text)
    return 0


def _print_json(value: Any) -> None:
    def plain(value: Any) -> Any:
        if isinstance(value, float) and not math.isfinite(value):
            return None
        return value

    if isinstance(value, dict):
        value = {key: plain(v) for key, v in value.items()}
    print(json.dumps(value, indent=1))


if __name__ == "__main__":
    sys.exit(main())
