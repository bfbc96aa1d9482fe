"""The command line of a benchmark that writes one table."""

import argparse
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from zerogap.model.files import replacing


def write(module: str | None, table: Callable[[bool], pd.DataFrame]) -> None:
    """Write table(quick) to the OUT.csv that is asked for; module: the docstring of the benchmark.

    quick: tiny cases, to try it out.
    """
    parser = argparse.ArgumentParser(description=module.splitlines()[0] if module else None)
    parser.add_argument("output", type=Path)
    parser.add_argument("--quick", action="store_true", help="tiny cases, to try it out")
    given = parser.parse_args()
    with replacing(given.output) as temporary:
        table(given.quick).to_csv(temporary, index=False, float_format="%.6g")
