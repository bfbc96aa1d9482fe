"""environment.yml and requirements.lock pin the same versions."""

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]


def pins(lines: list[str]) -> dict[str, str]:
    found = {}
    for line in lines:
        match = re.fullmatch(r"([A-Za-z0-9_.-]+)==?([^=\s]+)", line.strip())
        if match:
            found[match[1].lower().replace("_", "-")] = match[2]
    return found


def test_every_pin_of_the_conda_environment_equals_the_lock() -> None:
    lock = pins((ROOT / "requirements.lock").read_text().splitlines())
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    pip = next(entry["pip"] for entry in environment if isinstance(entry, dict))
    conda = [entry for entry in environment if isinstance(entry, str)]
    chosen = pins([*conda, *pip])
    chosen.pop("python")
    assert len(chosen) > 20
    assert {name: lock.get(name) for name in chosen} == chosen


def test_the_lock_pins_the_cpu_build_of_torch_by_its_plain_version() -> None:
    assert "torch==2.13.0" in (ROOT / "requirements.lock").read_text().split()
