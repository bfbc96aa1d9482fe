"""The configuration of a replication: validated once, before the DAG is built."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator, validators

from zerogap.model.data import read_file
from zerogap.model.errors import ConfigError, ZerogapError
from zerogap.model.problem import Problem
from zerogap.replication.claims import CLAIMS, claim, digest_of, instances
from zerogap.replication.rows import Instance
from zerogap.replication.tracing import PACKAGE, constants
from zerogap.solving.certificates import require_provable

Slice = dict[str, Any]

# What a run's folder holds; a run of such a name would write into another run's results.
FOLDERS = (
    *("audits", "benchmarks", "certificates", "data", "depth-study", "dual", "figures", "gaps"),
    *("notebooks", "primal", "reference", "tables", "verdicts"),
)

# 3.0 is a number, but not a whole one: it could not count anything.
_Validator = validators.extend(
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine(
        "integer", lambda _, value: isinstance(value, int) and not isinstance(value, bool)
    ),
)


@dataclass(frozen=True)
class Config:
    """What to run: the settings with the slice of options each needs, and global numbers.

    name: of the run, which its results bear, or nothing. claims: ids of those that are tested.
    instances: the problems of every setting, expanded once. depth_study: the options of each of
    its jobs, as canonical JSON. search: its data sets. audits: problems whose networks are trained.
    canonical: all of it, as JSON.
    """

    name: str
    claims: list[str]
    slices: dict[str, Slice]
    instances: dict[str, list[Instance]]
    tolerance: float
    batch_size: int
    depth_study: list[str]
    search: list[str]
    audits: list[str]
    canonical: str

    def batches(self, setting_id: str) -> list[str]:
        """Names of a setting's batches."""
        count = math.ceil(len(self.instances[setting_id]) / self.batch_size)
        return [str(b) for b in range(count)]

    def digest(self, setting_id: str, number: int) -> str:
        """What the registry says of the problems of a batch, as a digest."""
        start = number * self.batch_size
        return digest_of(self.instances[setting_id][start : start + self.batch_size])

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
    _require_finite(values)
    validator = _Validator(json.loads(schema.read_text(encoding="utf-8")))
    problems = sorted(validator.iter_errors(dict(values)), key=lambda e: list(map(str, e.path)))
    if problems:
        raise ConfigError(_one_line(problems[0]))
    run = values.get("name", "")
    if run in FOLDERS:
        raise ConfigError(f"name is {run!r}, a folder of every run; accepted is another name")
    if values.get("files") and not run:
        raise ConfigError(
            "files: a run of your own data needs a name, which its results bear (name: mine)"
        )
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
    if values.get("timings"):
        slices = {name: options | {"timings": True} for name, options in slices.items()}
    # Unknown cases are named here.
    expanded = {name: instances(name, options) for name, options in slices.items()}
    jobs = [json.dumps(entry, sort_keys=True) for entry in values.get("depth_study", [])]
    searched = _named(values, "search", "data set", "CASES")
    audited = _named(values, "audits", "problem", "PROBLEMS")
    return Config(
        run,
        chosen,
        slices,
        expanded,
        float(values["tolerance"]),
        int(values["batch_size"]),
        jobs,
        searched,
        audited,
        json.dumps(values, sort_keys=True),
    )


def _named(values: Mapping[str, Any], key: str, what: str, constant: str) -> list[str]:
    """What a configuration chooses of a study's dictionary, which is not loaded."""
    known = constants(PACKAGE / f"replication/studies/{key}.py")[constant]
    for name in values.get(key, []):
        if name not in known:
            raise ConfigError(f"{key}: no {what} {name!r}; accepted are {', '.join(known)}")
    return list(values.get(key, []))


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
            problem = Problem(
                X,
                Y,
                activation=entry["activation"],
                architecture=entry["architecture"],
                depth=depth,
                regularizer=entry.get("regularizer", "weight_decay"),
                beta=entry.get("beta"),
            )
            require_provable(problem)
    except ZerogapError as error:
        raise ConfigError(f"{place}: {error}") from None


def _one_line(error: Any) -> str:
    place = ".".join(map(str, error.path)) or "config"
    if error.validator == "additionalProperties":
        known = error.schema.get("properties", {})
        unknown = next(key for key in error.instance if key not in known)
        where = "" if place == "config" else f"{place}."
        return f"unknown key {where}{unknown}; accepted are {', '.join(known)}"
    if error.validator == "required":
        return f"{place}: {error.message}; required are {', '.join(error.schema['required'])}"
    hint = error.schema.get("description", "")
    message = error.message if len(error.message) < 200 else f"{error.message[:200]}…"
    return f"{place}: {message}" + (f"; accepted: {hint}" if hint else "")


def check_source(path: Path) -> None:
    """Refuse a configuration file that a YAML reader would take, but not as it was meant.

    A key given twice (the last would win silently) and templates (Snakemake runs the expressions
    of a file that opts in with __use_yte__). Raises ConfigError with the line.
    """
    try:
        root = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
        raise ConfigError(f"{path} cannot be read: {reason[:200]}") from None
    seen: set[int] = set()  # an alias is visited once, however often it is used
    todo = [root]
    while todo:
        node = todo.pop()
        if id(node) in seen or not isinstance(node, yaml.CollectionNode):
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            todo.extend(node.value)
            continue
        keys = set()
        for key, value in node.value:
            name = str(key.value)
            line = key.start_mark.line + 1
            if name in keys:
                raise ConfigError(f"{path} line {line}: key {name!r} is given twice")
            if name == "__use_yte__":
                raise ConfigError(f"{path} line {line}: templates ({name}) are not accepted")
            keys.add(name)
            todo.append(value)


def _require_finite(value: Any, place: str = "config") -> None:
    """Refuse numbers that are not finite and values that are no text, number, list or mapping."""
    if isinstance(value, Mapping | list):
        pairs = value.items() if isinstance(value, Mapping) else enumerate(value)
        for key, entry in pairs:
            if isinstance(value, Mapping) and not isinstance(key, str):
                raise ConfigError(f"{place}: key {key!r} is not text; accepted are texts")
            _require_finite(entry, str(key) if place == "config" else f"{place}.{key}")
    elif not (value is None or isinstance(value, str | bool | int | float)):
        raise ConfigError(f"{place} is {value!r}; accepted are texts, numbers and lists")
    elif isinstance(value, float) and not math.isfinite(value):
        raise ConfigError(f"{place} is {value!r}; accepted are finite numbers")


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
