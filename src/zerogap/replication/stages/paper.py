"""The replication paper."""

import json
from pathlib import Path

import typst

from zerogap.model.files import replacing
from zerogap.replication.figures import described


def run(source: Path, results: Path, output: Path) -> int:
    """Compile the paper; it reads its numbers and pictures from the results folder."""
    figures = {name: said._asdict() for name, said in described().items()}
    # Results need not stand beside the source: both are named from the root of all files.
    inputs = {"results": str(results.resolve()), "figures": json.dumps(figures)}
    with replacing(output) as temporary:
        typst.compile(
            str(source.resolve()), output=str(temporary), root="/", timestamp=0, sys_inputs=inputs
        )
    return 1
