"""Data and options of one batch of a setting's problems."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from zerogap.model.errors import DataError
from zerogap.replication.claims import batch as expanded
from zerogap.replication.families import generate
from zerogap.replication.records import write_batch
from zerogap.replication.rows import Given


def run(
    setting: str, options: dict[str, Any], batch: int, batch_size: int, digest: str, output: Path
) -> int:
    """Write the problems of a batch with their data.

    digest: of what the registry says of them. Raises DataError if it says something else by now.
    """
    instances, now = expanded(setting, options, batch, batch_size)
    if now != digest:
        raise DataError(
            f"batch {batch} of {setting} has digest {now} and {digest} was planned: the registry "
            "has changed since; run it again"
        )
    records = []
    for instance in instances:
        X, Y = generate(instance.data, instance.replicate)
        timings = bool(options.get("timings"))
        records.append(Given(**asdict(instance), X=X, Y=Y, timings=timings))
    write_batch(output, records, "generate")
    return len(records)
