"""The crate of a run: whole, true to its files, and what the profile demands of its metadata."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from zerogap.replication.crates import CONFIGURATION, MAIN, METADATA
from zerogap.replication.stages import crate, provenance

Entities = dict[str, dict[str, Any]]
CONTEXT = "https://w3id.org/ro/crate/1.1/context"
PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5",
    "https://w3id.org/ro/wfrun/workflow/0.5",
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0",
}


def ids(value: Any) -> set[str]:
    """What a property refers to."""
    if isinstance(value, list):
        return {each for item in value for each in ids(item)}
    return {value["@id"]} if isinstance(value, dict) and "@id" in value else set()


def types(entity: dict[str, Any]) -> set[str]:
    return {entity["@type"]} if isinstance(entity["@type"], str) else set(entity["@type"])


def violations(path: Path) -> list[str]:
    """What a crate breaks of Workflow Run Crate 0.5, and of being true to its own files."""
    return list(_violations(path))


def _violations(path: Path) -> Iterator[str]:
    with ZipFile(path) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    document = json.loads(contents.pop(METADATA))
    graph: Entities = {entity["@id"]: entity for entity in document["@graph"]}
    root, workflow = graph["./"], graph[MAIN]
    runs = [entity for entity in graph.values() if "CreateAction" in types(entity)]
    parameters = [entity for entity in graph.values() if "FormalParameter" in types(entity)]
    files = {name: entity for name, entity in graph.items() if "File" in types(entity)}

    def demand(holds: bool, what: str) -> Iterator[str]:
        if not holds:
            yield what

    yield from demand(CONTEXT in document["@context"], "context")
    yield from demand(len(graph) == len(document["@graph"]), "entities appear once")
    descriptor = graph[METADATA]
    yield from demand(ids(descriptor["about"]) == {"./"}, "the descriptor is about the root")
    yield from demand("https://w3id.org/ro/crate/1.1" in ids(descriptor["conformsTo"]), "RO-Crate")
    yield from demand(types(root) == {"Dataset"}, "the root is a data set")
    for key in ("name", "description", "datePublished", "license"):
        yield from demand(bool(root.get(key)), f"the root has a {key}")
    conforms = ids(root["conformsTo"])
    yield from demand(conforms >= PROFILES, "the root names the profiles")
    for profile in conforms:
        known = graph.get(profile, {"@type": ""})
        yield from demand(
            types(known) == {"CreativeWork"} and "version" in known, "profiles are described"
        )
    yield from demand(ids(root["mainEntity"]) == {MAIN}, "the workflow is the main entity")
    yield from demand(
        types(workflow) >= {"File", "SoftwareSourceCode", "ComputationalWorkflow"}, "its types"
    )
    (language,) = ids(workflow["programmingLanguage"])
    yield from demand(types(graph[language]) == {"ComputerLanguage"}, "its language")
    yield from demand(
        len(runs) == 1 and ids(runs[0].get("instrument")) == {MAIN}, "one run is of the workflow"
    )
    yield from demand(ids(root["mentions"]) == {run["@id"] for run in runs}, "the run is mentioned")
    for run in runs:
        yield from demand(run["startTime"] <= run["endTime"], "a run ends after it starts")
        used = {CONFIGURATION} | ids(run["result"])
        yield from demand(ids(run["object"]) == {CONFIGURATION} and used <= set(files), "its files")
        yield from demand(types(graph[next(iter(ids(run["agent"])))]) == {"Person"}, "its agent")
    slots = ids(workflow["input"]) | ids(workflow["output"])
    yield from demand(slots == {each["@id"] for each in parameters}, "inputs and outputs")
    for parameter in parameters:
        yield from demand("additionalType" in parameter, "parameters have a type")
        for example in ids(parameter["workExample"]):
            yield from demand(
                ids(files[example]["exampleOfWork"]) == {parameter["@id"]}, "examples of parameters"
            )
    yield from demand(set(files) == ids(root["hasPart"]) == set(contents), "parts are the files")
    for name, entity in files.items():
        yield from demand(
            entity["contentSize"] == str(len(contents[name]))
            and entity["sha256"] == hashlib.sha256(contents[name]).hexdigest(),
            f"{name} is what is described",
        )
    inner = {i for entity in graph.values() for value in entity.values() for i in ids(value)}
    missing = {i for i in inner if not i.startswith("http")} - set(graph)
    yield from demand(not missing, f"references lead somewhere: {missing}")


@pytest.fixture
def packed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The crate of a run of three files."""
    monkeypatch.chdir(tmp_path)
    config = {"claims": [], "name": "mine", "tolerance": 1e-6}
    provenance.run(config, Path("results/mine/provenance.json"))
    for number, name in enumerate(("data/a/0.npz", "tables/gaps.csv", "certificates/a/0.jsonl")):
        file = Path("results/mine") / name
        file.parent.mkdir(parents=True)
        file.write_text(name)
        os.utime(file, (0, 1000 * number))
    Path("Snakefile").write_text("rule all:\n")
    Path("data.smk").write_text("# rules\n")
    pack(Path("crate.zip"))
    return tmp_path / "crate.zip"


def pack(output: Path) -> None:
    folder = Path("results/mine")
    names = ["data/a/0.npz", "tables/gaps.csv", "certificates/a/0.jsonl", "provenance.json"]
    os.utime(folder / "provenance.json", (0, 4000))
    sources = {MAIN: "Snakefile", "workflow/rules/data.smk": "data.smk"}
    assert crate.run({name: str(folder / name) for name in names}, sources, output) == 4


def test_a_crate_is_what_the_profile_demands(packed: Path) -> None:
    assert violations(packed) == []


def test_its_times_and_configuration_are_those_of_the_run(packed: Path) -> None:
    with ZipFile(packed) as archive:
        graph = {e["@id"]: e for e in json.loads(archive.read(METADATA))["@graph"]}
        configuration = json.loads(archive.read(CONFIGURATION))
    assert graph["#run"]["startTime"] == "1970-01-01T00:00:00+00:00"
    assert graph["#run"]["endTime"] == "1970-01-01T01:06:40+00:00"
    assert configuration == json.loads(Path("results/mine/provenance.json").read_text())["config"]
    versions = {e["name"]: e["version"] for e in graph.values() if "version" in e}
    assert {"python", "torch", "snakemake", "zerogap"} <= set(versions)
    assert "mine" in graph["./"]["name"]


def test_the_same_run_gives_the_same_bytes(packed: Path) -> None:
    pack(Path("again.zip"))
    assert packed.read_bytes() == Path("again.zip").read_bytes()


def emptied(key: str, entity: str) -> Callable[[Entities], Any]:
    return lambda graph: graph[entity].pop(key)


BROKEN = {
    "the root has a license": emptied("license", "./"),
    "one run is of the workflow": emptied("instrument", "#run"),
    "parameters have a type": emptied("additionalType", "#out-tables"),
    "the root names the profiles": lambda graph: graph["./"].update(conformsTo=[]),
    "its types": lambda graph: graph[MAIN].update({"@type": "File"}),
    "tables/gaps.csv is what is described": lambda graph: graph["tables/gaps.csv"].update(
        contentSize="7"
    ),
    "parts are the files": lambda graph: graph["./"]["hasPart"].pop(),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_crate_is_noticed(what: str, packed: Path) -> None:
    with ZipFile(packed) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    document = json.loads(contents[METADATA])
    BROKEN[what]({entity["@id"]: entity for entity in document["@graph"]})
    contents[METADATA] = json.dumps(document).encode()
    with ZipFile(packed, "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    assert what in violations(packed)
