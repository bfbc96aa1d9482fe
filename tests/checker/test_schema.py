"""The schema of certificates describes what the package writes and the checker reads."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.checker.examples import EVERY_KIND, example
from zerogap import checker
from zerogap.checker import verify
from zerogap.checker.kinds import KINDS

SCHEMA = json.loads(
    (Path(checker.__file__).parent / "certificate.schema.json").read_text(encoding="utf-8")
)
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def test_the_schema_is_a_schema_and_knows_every_kind() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    kinds = [e["properties"]["kind"]["const"] for e in SCHEMA["$defs"]["evidence"]["anyOf"]]
    assert set(kinds) == {*KINDS}


@pytest.mark.parametrize("name", EVERY_KIND)
def test_what_is_written_fits_the_schema(name: str) -> None:
    VALIDATOR.validate(json.loads(json.dumps(example(name))))


def required(value: Any, path: tuple = ()) -> list[tuple]:
    """Paths of all keys of a certificate that are not free or optional."""
    if not isinstance(value, dict):
        return []
    paths = []
    for key, child in value.items():
        if path != ("id",) and not (path == ("claimed",) and child is None):
            paths += [(*path, key), *required(child, (*path, key))]
    return paths


@pytest.mark.parametrize("name", EVERY_KIND)
def test_a_key_that_the_schema_requires_the_checker_requires(name: str) -> None:
    original = example(name)
    for path in required(original):
        certificate = copy.deepcopy(original)
        node = certificate
        for key in path[:-1]:
            node = node[key]
        del node[path[-1]]
        if verify(certificate).accepted:
            assert path[0] in ("id", "gap", "deeper", "claimed") or path == ("lower", "X"), path
        elif path[1:] != ("bias",):  # without it, something else is stated
            assert not VALIDATOR.is_valid(certificate), path
