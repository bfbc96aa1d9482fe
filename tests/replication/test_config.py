"""The configuration: documented keys, slices, own data."""

from pathlib import Path

import numpy as np
import pytest
import yaml

from zerogap.model.errors import ConfigError
from zerogap.replication.config import key_table, load

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = ROOT / "workflow/schemas/config.schema.json"
BASE = {"claims": "all", "tolerance": 1e-6, "batch_size": 10}


def test_the_table_of_keys_in_the_documentation_is_that_of_the_schema() -> None:
    assert key_table(SCHEMA) in (ROOT / "config/README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["config", "smoke", "scale"])
def test_the_configurations_that_ship_are_valid(name: str) -> None:
    values = yaml.safe_load((ROOT / f"config/{name}.yaml").read_text())
    assert load(values, SCHEMA).slices


def test_a_slice_depends_only_on_its_own_setting() -> None:
    one = load(BASE | {"instances": {"low-rank": 2}}, SCHEMA)
    two = load(BASE | {"instances": {"low-rank": 2, "branches": 3}}, SCHEMA)
    assert one.slice("low-rank") == two.slice("low-rank")
    assert one.slice("branches") != two.slice("branches")


def test_own_data_becomes_a_setting_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.npz"
    np.savez(path, X=np.eye(2), Y=np.ones((2, 1)))
    entry = {
        "id": "mine",
        "data": {"kind": "file", "path": str(path)},
        "activation": "relu",
        "architecture": "standard",
        "depths": [2, 3],
    }
    config = load(BASE | {"name": "mine", "claims": [], "files": [entry]}, SCHEMA)
    assert config.batches("file-mine") == ["0"]
    with pytest.raises(ConfigError, match="given twice"):
        load(BASE | {"name": "mine", "claims": [], "files": [entry, entry]}, SCHEMA)


def test_own_data_that_no_network_fits_is_refused_before_anything_runs(tmp_path: Path) -> None:
    path = tmp_path / "mine.npz"
    np.savez(path, X=np.array([[1.0], [2.0]]), Y=np.array([[1.0], [5.0]]))
    entry = {
        "id": "mine",
        "data": {"kind": "file", "path": str(path)},
        "activation": "relu",
        "architecture": "standard",
        "depths": [3],
    }
    with pytest.raises(ConfigError, match=r"files\.mine: no ReLU network"):
        load(BASE | {"name": "mine", "claims": [], "files": [entry]}, SCHEMA)


def test_a_run_of_own_data_needs_a_name_that_its_results_bear() -> None:
    entry = {
        "id": "mine",
        "data": {"kind": "file", "path": "mine.npz"},
        "activation": "relu",
        "architecture": "standard",
        "depths": [3],
    }
    with pytest.raises(ConfigError, match=r"needs a name.*\(name: mine\)"):
        load(BASE | {"claims": [], "files": [entry]}, SCHEMA)


def test_the_digest_of_a_batch_is_what_the_registry_says_of_it() -> None:
    one = load(BASE, SCHEMA)
    two = load(BASE | {"restarts": {"low-rank": 3}}, SCHEMA)
    assert one.digest("branches", 0) == two.digest("branches", 0)
    assert one.digest("low-rank", 0) != two.digest("low-rank", 0)
    assert one.digest("low-rank", 0) != one.digest("low-rank", 1)
