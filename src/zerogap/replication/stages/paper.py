"""The replication paper."""

from pathlib import Path

import typst

from zerogap.model.files import replacing


def run(source: Path, results: Path, output: Path) -> int:
    """Compile the paper; it reads its numbers and pictures from the results folder."""
    inputs = {"results": f"/{results}"}
    with replacing(output) as temporary:
        typst.compile(
            str(source), output=str(temporary), root=str(Path.cwd()), timestamp=0, sys_inputs=inputs
        )
    return 1
