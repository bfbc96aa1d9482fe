"""A run and what made it in one file, as a Workflow Run RO-Crate."""

import getpass
import json
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from zerogap.model.files import replacing
from zerogap.replication.crates import CONFIGURATION, METADATA, metadata
from zerogap.replication.records import read_json


def run(files: dict[str, str], sources: dict[str, str], output: Path) -> int:
    """Write the crate of the run that wrote these files; of the sources too, name to file."""
    made = {name: Path(file) for name, file in files.items()}
    provenance = read_json(made["provenance.json"])
    configuration = (json.dumps(provenance["config"], indent=1) + "\n").encode()
    made_by = {name: Path(file) for name, file in sources.items()}
    described = metadata(made, made_by, configuration, provenance, getpass.getuser())
    with replacing(output) as temporary, ZipFile(temporary, "w") as crate:

        def add(name: str, content: bytes) -> None:
            # Without the time at which it is packed.
            crate.writestr(ZipInfo(name), content, ZIP_DEFLATED)

        add(METADATA, (json.dumps(described, indent=1) + "\n").encode())
        add(CONFIGURATION, configuration)
        for name, path in {**made, **made_by}.items():
            add(name, path.read_bytes())
    return len(made)
