"""The configuration of a replication: validated once, before the DAG is built."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from zerogap.claims import CLAIMS, claim, instances
from zerogap.data import read_file
from zerogap.errors import ConfigError
from zerogap.problem import Problem

Slice = dict[str, Any]


@dataclass(frozen=True)
class Config:
    """What to run: the settings with the slice of options each needs, and global numbers.

    depth_study: the options of each of its jobs, as canonical JSON.
    """

    slices: dict[str, Slice]
    tolerance: float
    batch_size: int
    depth_study: list[str]

    def batches(self, setting_id: str) -> list[str]:
        """Names of a setting's batches."""
        count = len(instances(setting_id, self.slices[setting_id]))
        return [str(b) for b in range(math.ceil(count / self.batch_size))]

    def slice(self, setting_id: str) -> str:
        """The options of a setting as canonical JSON: what its problems depend on, no more."""
        return json.dumps(self.slices[setting_id], sort_keys=True)

    def own_file(self, setting_id: str) -> list[str]:
        """The data file behind a setting of own data, none for the registry's."""
        entry = self.slices[setting_id].get("file")
        return [entry["data"]["path"]] if entry else []


def load(values: Mapping[str, Any], schema: Path) -> Config:
    """Check a configuration against the schema and the registry.

    Raises ConfigError with one line that names the key and what is accepted.
    """
    validator = Draft202012Validator(json.loads(schema.read_text(encoding="utf-8")))
    problems = sorted(validator.iter_errors(dict(values)), key=lambda e: list(map(str, e.path)))
    if problems:
        raise ConfigError(_one_line(problems[0]))
    chosen = [c.id for c in CLAIMS] if values["claims"] == "all" else list(values["claims"])
    if not chosen and not values.get("files"):
        raise ConfigError("claims is empty; accepted is all, or a list of claim ids")
    settings = [s.id for identifier in chosen for s in claim(identifier).settings]
    every = [s.id for c in CLAIMS for s in c.settings]
    for key in ("instances", "restarts", "cases"):
        for name in values.get(key, {}):
            if name not in every and name != "default":
                raise ConfigError(f"{key}.{name}: no such setting; accepted are {', '.join(every)}")
    slices = {name: _slice(values, name) for name in settings}
    for entry in values.get("files", []):
        name = f"file-{entry['id']}"
        if name in slices:
            raise ConfigError(f"files: id {entry['id']!r} is given twice; ids must differ")
        _check_file(entry)
        slices[name] = {"file": entry, "restarts": values.get("restarts", {}).get("default")}
    for name, options in slices.items():
        if values.get("timings"):
            options["timings"] = True
        instances(name, options)  # unknown cases are named here
    jobs = [json.dumps(entry, sort_keys=True) for entry in values.get("depth_study", [])]
    return Config(slices, float(values["tolerance"]), int(values["batch_size"]), jobs)


def _slice(values: Mapping[str, Any], name: str) -> Slice:
    def chosen(key: str) -> Any:
        table = values.get(key, {})
        return table.get(name, table.get("default"))

    return {
        "replicates": chosen("instances"),
        "restarts": chosen("restarts"),
        "cases": values.get("cases", {}).get(name),
    }


def _check_file(entry: Mapping[str, Any]) -> None:
    """Read own data and build its problems now, so that mistakes show before anything runs."""
    place = f"files.{entry['id']}"
    data = entry["data"]
    try:
        X, Y = read_file(Path(data["path"]), data.get("targets"))
        for depth in entry["depths"]:
            Problem(
                X,
                Y,
                activation=entry["activation"],
                architecture=entry["architecture"],
                depth=depth,
                regularizer=entry.get("regularizer", "weight_decay"),
                beta=entry.get("beta"),
            )
    except Exception as error:
        raise ConfigError(f"{place}: {error}") from None


def _one_line(error: Any) -> str:
    place = ".".join(map(str, error.path)) or "config"
    if error.validator == "additionalProperties":
        unknown = re.findall(r"'([^']*)'", error.message)
        accepted = ", ".join(error.schema.get("properties", {}))
        where = "" if place == "config" else f"{place}."
        return f"unknown key {where}{unknown[0] if unknown else '?'}; accepted are {accepted}"
    hint = error.schema.get("description", "")
    message = error.message if len(error.message) < 200 else f"{error.message[:200]}…"
    return f"{place}: {message}" + (f"; accepted: {hint}" if hint else "")


def key_table(schema: Path) -> str:
    """The keys of a configuration as a markdown table, from the schema's descriptions."""
    rows = ["| key | accepted |", "|---|---|"]

    def add(properties: Mapping[str, Any], prefix: str) -> None:
        for name, entry in properties.items():
            rows.append(f"| `{prefix}{name}` | {entry.get('description', '').replace('|', '/')} |")
            if "properties" in entry.get("items", {}):
                add(entry["items"]["properties"], f"{prefix}{name}[].")

    add(json.loads(schema.read_text(encoding="utf-8"))["properties"], "")
    return "\n".join(rows) + "\n"
