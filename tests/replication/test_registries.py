"""What every registered claim and every figure must be, whoever adds it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from zerogap.replication.claims import CLAIMS, batch, instances
from zerogap.replication.families import FAMILIES, generate
from zerogap.replication.figures import described, draw
from zerogap.replication.rows import Given, Instance
from zerogap.replication.tables.frames import COLUMNS, write_csv
from zerogap.replication.tables.judges import _JUDGES
from zerogap.solving.certificates import require_provable

SETTINGS = [setting.id for claim in CLAIMS for setting in claim.settings]


def test_ids_of_claims_and_settings_are_used_once_and_are_fit_for_file_names() -> None:
    for names in ([claim.id for claim in CLAIMS], SETTINGS):
        assert len(set(names)) == len(names)
        assert all(name.replace("-", "").isalnum() and name.islower() for name in names)


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_a_claim_is_a_sentence_with_a_place_a_test_and_problems(claim) -> None:  # type: ignore[no-untyped-def]
    assert claim.statement.endswith(".") and claim.where and claim.test in _JUDGES
    asked = [one for s in claim.settings for one in instances(s.id)]
    assert asked and all(one.claim == claim.id and one.data["kind"] in FAMILIES for one in asked)
    assert {one.paper for one in asked} <= {"zero", "positive", "any"}
    # Where a condition is found, problems on both sides of it are asked.
    if claim.condition and claim.test == "gap":
        assert {one.holds for one in asked} == {True, False}


def test_real_data_say_on_how_many_samples_networks_of_relu_run() -> None:
    sizes = {
        len(generate(one.data, one.replicate)[0])
        for one in instances("real-data")
        if one.activation == "relu"
    }
    (said,) = (claim.statement for claim in CLAIMS if claim.id == "real-data")
    assert f"{min(sizes)} to {max(sizes)} of their samples for other ReLU networks" in said


@pytest.mark.parametrize("setting", SETTINGS)
def test_the_problems_of_a_setting_are_valid_and_have_names_and_seeds_of_their_own(
    setting: str,
) -> None:
    asked = instances(setting)
    assert len({one.name for one in asked}) == len({one.seed for one in asked}) == len(asked)
    assert batch(setting, {}, 0, 10**6)[0] == asked
    for one in asked[:: max(1, len(asked) // 6)]:
        X, Y = generate(one.data, one.replicate)
        fields = {name: getattr(one, name) for name in Instance.__dataclass_fields__}
        require_provable(Given(**fields, X=X, Y=Y, timings=False).problem)


@pytest.mark.parametrize("name", described())
def test_a_figure_has_a_caption_reads_tables_that_exist_and_says_what_was_not_run(
    name: str, tmp_path: Path
) -> None:
    said = described()[name]
    assert said.caption.endswith(".") and said.alt.endswith(".") and said.alt != said.caption
    assert set(said.tables) <= set(COLUMNS) and said.command.endswith(f"/{name}.png")
    for table in said.tables:
        empty = pd.DataFrame(columns=COLUMNS[table]).astype(object)
        write_csv(tmp_path / table, empty, "test")
    draw(name, tmp_path, tmp_path / "figure")
    assert (tmp_path / "figure.png").stat().st_size > 2000
    with Image.open(tmp_path / "figure.png") as image:
        assert image.info["Description"] == said.alt and image.info["Title"] == said.caption
    assert (tmp_path / "figure.pdf").read_bytes()[:4] == b"%PDF"
