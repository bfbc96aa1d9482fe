"""The wheel outside the checkout, beside nothing but what it declares to need."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import distributions, packages_distributions
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
# Finds nothing of what the wheel does not ask for, as an environment without it would.
BLOCK = """
from importlib.machinery import PathFinder

find, absent = PathFinder.find_spec, {absent!r}


def find_spec(name, *more):
    return None if name.partition(".")[0] in absent else find(name, *more)


PathFinder.find_spec = find_spec
"""
AUDIT = """
import torch
import zerogap

torch.manual_seed(0)
X = torch.randn(40, 3)
y = X[:, :1].relu() - X[:, 1:2].relu()
model = torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.ReLU(), torch.nn.Linear(8, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=0.02, weight_decay=1e-2)
for _ in range(200):
    optimizer.zero_grad()
    torch.nn.functional.mse_loss(model(X), y).backward()
    optimizer.step()
found = zerogap.audit(model, X, y, loss="squared", reduction="mean", optimizer=optimizer)
print(zerogap.__file__)
print(found)
zerogap.write_certificates("proof.jsonl", [found.certificate])
zerogap.write_weights("better.npz", found.better)
"""


def names(requirement: str) -> str:
    return re.sub(r"[-_.]+", "-", re.split(r"[\s;<>=!~\[(]", requirement)[0]).lower()


def needed(site: Path) -> set[str]:
    """The distributions that the wheel unpacked there pulls in, by their names."""
    (wheel,) = distributions(name="zerogap", path=[str(site)])
    found, left = {"zerogap"}, wheel.requires or []
    while left:
        missing = {names(text) for text in left if "extra ==" not in text} - found
        found |= missing
        # Those of other platforms are not installed.
        known = [each for name in missing for each in distributions(name=name)]
        left = [text for each in known for text in each.requires or []]
    return found


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Where the wheel is unpacked and all else that it does not need is absent."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(ROOT / "src/zerogap", source / "src/zerogap")
    pip = [sys.executable, "-m", "pip", "--quiet"]
    subprocess.run(
        [*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", folder, source], check=True
    )
    (wheel,) = folder.glob("zerogap-*.whl")
    site = folder / "site"
    subprocess.run([*pip, "install", "--no-deps", "-t", site, wheel], check=True)
    kept = needed(site)
    absent = {
        top
        for top, owners in packages_distributions().items()
        if not kept & {names(owner) for owner in owners}
    }
    assert {"snakemake", "pandas", "cvxpy", "sklearn"} <= absent
    (site / "sitecustomize.py").write_text(BLOCK.format(absent=absent))
    return {**os.environ, "PYTHONPATH": str(site)}


def run(
    environment: dict[str, str], folder: Path, *arguments: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip


def test_a_model_of_ones_own_is_audited_outside_the_checkout(
    environment: dict[str, str], tmp_path: Path
) -> None:
    done = run(environment, tmp_path, "-c", AUDIT)
    assert done.returncode == 0, done.stderr
    where, *said = done.stdout.splitlines()
    assert Path(where).parents[1] == Path(environment["PYTHONPATH"])
    assert said[-1] == "certified    yes"
    assert any("above the best network of any width" in line for line in said)
    explained = run(environment, tmp_path, "-m", "zerogap", "verify", "proof.jsonl", "--explain")
    assert explained.returncode == 0, explained.stderr
    assert "the bracket" in explained.stdout


EVERY_NAME = """
import inspect
import zerogap

print([name for name in zerogap.__all__ if not inspect.getdoc(getattr(zerogap, name))])
print(sorted(zerogap.__all__) == sorted(zerogap._HOMES))
"""


def test_every_public_name_is_there_and_documented(
    environment: dict[str, str], tmp_path: Path
) -> None:
    done = run(environment, tmp_path, "-c", EVERY_NAME)
    assert done.stdout.split() == ["[]", "True"], done.stderr


def test_the_doctor_is_content_with_the_library_alone_and_names_what_extras_lack(
    environment: dict[str, str], tmp_path: Path
) -> None:
    done = run(environment, tmp_path, "-m", "zerogap", "doctor", "--json")
    said = json.loads(done.stdout)
    assert done.returncode == 0 and said["healthy"], done.stderr
    assert Path(said["location"]).parent == Path(environment["PYTHONPATH"])
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    expected = {"library": declared["dependencies"], **declared["optional-dependencies"]}
    found = {extra: {names(each) for each in of} for extra, of in said["packages"].items()}
    for extra, of in expected.items():
        assert found.get(extra, set()) == {names(each) for each in of} - {"zerogap"}, extra
    assert None not in said["packages"]["library"].values()


def test_weights_in_a_file_are_audited(environment: dict[str, str], tmp_path: Path) -> None:
    X = np.array([[1.0], [-1.0]])
    np.savez(tmp_path / "data.npz", X=X, Y=np.abs(X))
    np.savez(tmp_path / "net.npz", W1=np.array([[1.0, -1.0]]), W2=np.array([[1.0], [1.0]]))
    options = "audit data.npz net.npz --beta 0.1 --json"
    done = run(environment, tmp_path, "-m", "zerogap", *options.split())
    said = json.loads(done.stdout)
    assert said["certified"], done.stderr
    # No loss, and 0.1 · ½ · 4; the optimum is ½ · 2 · 0.1² + 0.1 · 2 · 0.9.
    assert said["objective"] == pytest.approx(0.2) and said["lower"] == pytest.approx(0.19)


def test_the_wheel_has_what_pages_are_made_of(environment: dict[str, str]) -> None:
    parts = "zerogap/replication/pages/explorer_parts"
    there, here = Path(environment["PYTHONPATH"], parts), ROOT / "src" / parts
    assert sorted(p.name for p in there.iterdir()) == sorted(p.name for p in here.iterdir())


def test_commands_work_or_say_what_they_need(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("a,b,y\n1,2,1\n2,1,0\n0,1,1\n3,1,2\n")
    options = "--targets y --activation relu --architecture standard --depth 2 --beta 0.1"
    said = run(environment, tmp_path, "-m", "zerogap", "solve", "data.csv", *options.split())
    assert said.returncode == 0, said.stderr
    assert "certified    yes" in said.stdout
    script = Path(environment["PYTHONPATH"]) / "bin/zerogap"
    for start in (("-m", "zerogap"), (str(script),)):
        for command, word in (("--version", "zerogap 0."), ("--help", "usage")):
            assert word in run(environment, tmp_path, *start, command).stdout
    schema = run(environment, tmp_path, "-m", "zerogap", "schema").stdout
    assert "multipliers" in json.loads(schema)["$defs"]["evidence"]["anyOf"][0]["properties"]
    for command in ("claims", "table"):
        refused = run(environment, tmp_path, "-m", "zerogap", command)
        assert refused.returncode == 2
        assert "zerogap[replication]" in refused.stderr
        assert len(refused.stderr.splitlines()) == 1
