"""Three layers against the path program of four, for every n of a batch of the study."""

from pathlib import Path
from typing import Any

from zerogap.replication.records import write_json
from zerogap.replication.sealed import sealing
from zerogap.replication.studies.depth import study
from zerogap.solving.certificates import write_jsonl


def run(options: dict[str, Any], certificates: Path, output: Path) -> int:
    """Write the rows of the study and the certificates of the differences that it found."""
    rows, proofs = [], []
    for n in options["n"]:
        sizes = {key: value for key, value in options.items() if key != "n"}
        found, proved = study(n, **sizes)
        rows += found
        proofs += proved
    with sealing(certificates, "depth-study") as temporary:
        write_jsonl(temporary, proofs)
    write_json(output, rows, "depth-study")
    return len(rows)
