"""What a Workflow Run RO-Crate says of a run: its workflow, configuration, software and results.

Profile: https://w3id.org/ro/wfrun/workflow/0.5, on top of Process Run Crate and Workflow RO-Crate.
"""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

Entity = dict[str, Any]

METADATA = "ro-crate-metadata.json"
CONFIGURATION = "configuration.json"
MAIN = "workflow/Snakefile"
_PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": ("Process Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/workflow/0.5": ("Workflow Run Crate", "0.5"),
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": ("Workflow RO-Crate", "1.0"),
}
_CONTEXT = [
    "https://w3id.org/ro/crate/1.1/context",
    {"sha256": "https://w3id.org/ro/terms/workflow-run#sha256"},
]
_LICENCE = "https://spdx.org/licenses/MIT"
_SNAKEMAKE = "https://w3id.org/workflowhub/workflow-ro-crate#snakemake"
_BIOSCHEMAS = "https://bioschemas.org/profiles"
_KINDS = {
    ".cff": "application/yaml", ".csv": "text/csv", ".ipynb": "application/x-ipynb+json",
    ".jsonl": "application/jsonl", ".lock": "text/plain", ".md": "text/markdown",
    ".mmd": "text/vnd.mermaid", ".npz": "application/zip", ".tex": "application/x-tex",
}  # fmt: skip


def metadata(
    results: Mapping[str, Path],
    sources: Mapping[str, Path],
    configuration: bytes,
    provenance: Mapping[str, Any],
    agent: str,
) -> Entity:
    """The JSON-LD of a run.

    results, sources: what the run wrote, and what it was made by, as name in the crate to file;
    sources has `MAIN`. configuration: what `CONFIGURATION` holds. provenance: what the stage of
    that name wrote. agent: who ran it. Times are those of the first and the last file that the run
    wrote, since no table holds any.
    """
    written = [path.stat().st_mtime for path in results.values()]
    start, end = (
        datetime.fromtimestamp(int(t), UTC).isoformat() for t in (min(written), max(written))
    )
    versions = {"python": provenance["python"], **provenance["packages"]}
    name = provenance["config"].get("name", "")
    # What the workflow gives, by folder.
    outputs: dict[str, list[str]] = {}
    for file in results:
        outputs.setdefault(file.partition("/")[0], []).append(file)
    parts = [_file(file, path.read_bytes()) for file, path in {**results, **sources}.items()]
    for part in parts:
        if part["@id"] in results:
            part["exampleOfWork"] = _to(_output(part["@id"].partition("/")[0]))
    workflow = next(part for part in parts if part["@id"] == MAIN)
    workflow |= {
        "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow"],
        "name": "Parallel Deep Neural Networks Have Zero Duality Gap, claim by claim",
        "description": "Generates data, trains, solves, proves both bounds of every problem, and "
        "draws tables, figures, notebooks and the paper from what was proved.",
        "conformsTo": _to(f"{_BIOSCHEMAS}/ComputationalWorkflow/1.0-RELEASE"),
        "programmingLanguage": _to(_SNAKEMAKE),
        "version": versions["zerogap"],
        "license": _to(_LICENCE),
        "creator": _to("#authors"),
        "softwareRequirements": _to(*(_package(*each) for each in versions.items())),
        "hasPart": _to(*(file for file in sources if file.endswith(".smk"))),
        "input": _to("#in-configuration"),
        "output": _to(*map(_output, outputs)),
    }
    described = _file(CONFIGURATION, configuration) | {"exampleOfWork": _to("#in-configuration")}
    run = {
        "@id": "#run",
        "@type": "CreateAction",
        "name": f"Run of the replication{f' {name}' if name else ''}",
        "description": f"Commit {provenance['commit'] or 'unknown'}"
        f"{', with changes' if provenance['modified'] else ''}, {provenance['machine']}",
        "instrument": _to(MAIN),
        "object": _to(CONFIGURATION),
        "result": _to(*results),
        "agent": _to("#agent"),
        "startTime": start,
        "endTime": end,
        "actionStatus": "http://schema.org/CompletedActionStatus",
    }
    root = {
        "@id": "./",
        "@type": "Dataset",
        "name": f"zerogap: a run of the replication{f', {name}' if name else ''}",
        "description": "Tables, certificates, data sets, figures, notebooks and paper of a run, "
        "what it was asked and what made it. `zerogap verify certificates` proves every bound.",
        "datePublished": end,
        "license": _to(_LICENCE),
        "author": _to("#authors"),
        "conformsTo": _to(*_PROFILES),
        "mainEntity": _to(MAIN),
        "mentions": _to("#run"),
        "hasPart": _to(*(part["@id"] for part in (*parts, described))),
    }
    descriptor = {
        "@id": METADATA,
        "@type": "CreativeWork",
        "about": _to("./"),
        "conformsTo": _to("https://w3id.org/ro/crate/1.1", [*_PROFILES][-1]),
    }
    return {
        "@context": _CONTEXT,
        "@graph": [
            descriptor,
            root,
            run,
            *parts,
            described,
            _parameter("#in-configuration", "configuration", [CONFIGURATION]),
            *(_parameter(_output(folder), folder, files) for folder, files in outputs.items()),
            *_software(versions),
            *_people(agent),
            *(
                {"@id": uri, "@type": "CreativeWork", "name": title, "version": version}
                for uri, (title, version) in _PROFILES.items()
            ),
            {"@id": _LICENCE, "@type": "CreativeWork", "name": "MIT License"},
        ],
    }


def _to(*identifiers: str) -> Entity | list[Entity]:
    """References to entities; to one alone without a list."""
    found = [{"@id": identifier} for identifier in identifiers]
    return found[0] if len(found) == 1 else found


def _output(folder: str) -> str:
    return f"#out-{folder}"


def _file(name: str, content: bytes) -> Entity:
    kind = _KINDS.get(Path(name).suffix) or mimetypes.guess_type(name)[0] or "text/plain"
    return {
        "@id": name,
        "@type": "File",
        "name": name,
        "encodingFormat": kind,
        "contentSize": str(len(content)),
        "sha256": hashlib.sha256(content).hexdigest(),
    }


def _parameter(identifier: str, name: str, files: list[str]) -> Entity:
    return {
        "@id": identifier,
        "@type": "FormalParameter",
        "conformsTo": _to(f"{_BIOSCHEMAS}/FormalParameter/1.0-RELEASE"),
        "name": name,
        "additionalType": "File",
        "multipleValues": "True" if len(files) > 1 else "False",
        "workExample": _to(*files),
    }


def _software(versions: Mapping[str, str]) -> list[Entity]:
    """What the run ran on; Snakemake also as the language of the workflow."""
    language = {
        "@id": _SNAKEMAKE,
        "@type": "ComputerLanguage",
        "name": "Snakemake",
        "version": versions["snakemake"],
        "identifier": _to("https://doi.org/10.1093/bioinformatics/bts480"),
        "url": _to("https://snakemake.readthedocs.io"),
    }
    applications = [
        {"@id": _package(name, version), "@type": "SoftwareApplication"}
        | {"name": name, "version": version}
        | ({} if name == "zerogap" else {"url": _package(name, version)})
        for name, version in versions.items()
    ]
    return [language, *applications]


def _package(name: str, version: str) -> str:
    """Where a version of a package is found; a local build is the public one, but for the build."""
    if name == "zerogap":
        return "#zerogap"
    if name == "python":
        return "https://www.python.org"
    return f"https://pypi.org/project/{name}/{version.partition('+')[0]}/"


def _people(agent: str) -> list[Entity]:
    return [
        {"@id": "#agent", "@type": "Person", "name": agent},
        {"@id": "#authors", "@type": "Organization", "name": "zerogap authors"},
    ]
