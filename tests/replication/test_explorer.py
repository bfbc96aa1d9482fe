"""The explorer: every problem of the tables is on the page, as it is there, and can be reached."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pandas as pd
import pytest

from tests.replication.browser import CHROMIUM, Browser
from zerogap import Problem, cli
from zerogap.model.errors import DataError
from zerogap.model.network import Network
from zerogap.replication.claims import batch as expanded
from zerogap.replication.claims.registry import OWN_DATA
from zerogap.replication.pages.sketches import data_sketch, network_sketch
from zerogap.replication.proofs import proved
from zerogap.replication.records import read_json, write_json
from zerogap.replication.rows import Proved, Row
from zerogap.replication.stages import certify, explorer, generate, solve_dual, train, verify
from zerogap.replication.tables import frames, gaps, scoreboard, table1
from zerogap.solving.certificates import write_jsonl
from zerogap.solving.solver import solve
from zerogap.training import Training, TrainingOptions
from zerogap.training import train as trained

SETTINGS = {
    "two-layer-relu": ["relu-n3-d2", "relu-n4-d2"],
    "relu-standard-rank-one": ["smallest", "aligned"],
}
# A name that would be a script of the page, if names were put in as markup.
_BREAKS = "document.title='broken'"
EVIL = f'</script><img src=x onerror="{_BREAKS}"><script>{_BREAKS}</script>'
STUDIES = {
    "depth": {
        "id": "four", "n": 2, "d": 1, "seed": 5, "kind": "random", "three_lower": 2.0,
        "three_upper": 2.1, "four_lower": 1.8, "four_upper": 1.9, "relative_lower": 0.05,
        "relative_upper": 0.125, "certified": True,
    },
    "search": {
        "id": "smallest", "n": 2, "d": 1, "k": 1, "leaves": 7, "primal_lower": 2.99,
        "primal": 3.0000000000000004, "dual_upper": 2.381101577952300, "verdict": "positive",
        "certified": True,
    },
    "audits": {
        "problem": "tiny", "network": "sgd-4", "data": "tiny", "n": 2, "d": 1, "k": 1,
        "loss": "squared", "depth": 3, "bias": False, "decay": 0.1, "optimiser": "SGD",
        "epochs": 200, "width": 4, "error": 0.25, "objective": 0.30000000000000004, "lower": 0.1,
        "method": "column generation", "best": 0.2, "relative_gap": 2 / 3, "excess": 1 / 3,
        "unknown": 1 / 3, "certified": True, "note": "",
    },
}  # fmt: skip


def quick(problems: list[Problem], seeds: list[int], _: TrainingOptions) -> list[Training]:
    return trained(problems, seeds, TrainingOptions(restarts=2, steps=40, polish_steps=0))


def batches(results: Path) -> list[Row]:
    """The rows of the settings, with their certificates and verdicts in place."""
    rows = []
    for setting, cases in SETTINGS.items():
        options = {"replicates": 1, "restarts": 2, "cases": cases}
        data, primal, dual = (results / f"{kind}/{setting}/0.npz" for kind in ("data", "p", "d"))
        proofs, found = (results / f"{kind}/{setting}/0" for kind in ("certificates", "gaps"))
        generate.run(setting, options, 0, 400, expanded(setting, options, 0, 400)[1], data)
        train.run(data, primal)
        solve_dual.run(data, dual)
        certify.run(
            data, primal, dual, 1e-6, proofs.with_suffix(".jsonl"), found.with_suffix(".json")
        )
        said = results / f"verdicts/{setting}/0.json"
        verify.run(proofs.with_suffix(".jsonl"), 1e-6, said)
        rows += [Row(**record) for record in read_json(found.with_suffix(".json"))]
    return rows


def studies(results: Path) -> None:
    """A row of every study, and certificates of that name."""
    X = np.array([[1.0], [-1.0]])
    proof = solve(Problem(X, X, activation="relu", architecture="standard", depth=3)).certificate
    called = {
        "depth-study/0": [("depth", "depth-study", "four")],
        "search/0": [("search", "search", "smallest")],
        "audits/tiny": [("audits", "tiny", "sgd-4"), ("audits", "tiny", "bracket")],
    }
    for place, names in called.items():
        keys = ("claim", "setting", "instance")
        named = [proof | {"id": dict(zip(keys, name, strict=True))} for name in names]
        file = results / f"certificates/{place}.jsonl"
        file.parent.mkdir(parents=True)
        write_jsonl(file, named)
        proved(file, results / f"verdicts/{place}.json", "test")
    for name, row in STUDIES.items():
        table = results / f"tables/{name}.csv"
        frames.write(table, [row], frames.COLUMNS[table.name], "test")


def collected(results: Path, rows: list[Row]) -> None:
    verdicts = [
        Proved(**record)
        for setting in {row.setting for row in rows if row.claim != OWN_DATA}
        for record in read_json(results / f"verdicts/{setting}/0.json")
    ]
    gaps.gather(rows, verdicts, results / "tables")
    made = {
        "config": {"name": ""},
        "commit": "abc",
        "modified": False,
        "packages": {"zerogap": "1"},
    }
    write_json(results / "provenance.json", made, "test")


def written(results: Path) -> Path:
    files = sorted(map(str, results.glob("certificates/*/*.jsonl")))
    (results / "list.txt").write_text("".join(f"{file}\n" for file in files))
    output = results / "explorer.html"
    assert explorer.run(results, results / "list.txt", output) == len(files)
    return output


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of a few problems, one of every study, and own data of an evil name, unproved."""
    folder = tmp_path_factory.mktemp("run") / "results"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("zerogap.replication.stages.train.train", quick)
        rows = batches(folder)
    own = replace(rows[0], claim=OWN_DATA, setting="file-<b>", instance=EVIL, seed=1)
    collected(folder, [*rows, own])
    scoreboard.write(folder / "tables", 1e-6)
    table1.write(folder / "tables")
    studies(folder)
    written(folder)
    return folder


def content(page: Path) -> dict[str, Any]:
    """What the page holds, as its script reads it."""
    text = page.read_text(encoding="utf-8")
    found = re.search(r'<script type="application/json" id="content">(.*?)</script>', text, re.S)
    assert found is not None
    return json.loads(found[1])


@pytest.mark.parametrize("name", ["gaps", *STUDIES])
def test_every_row_of_a_table_is_on_the_page_with_the_same_numbers(
    results: Path, name: str
) -> None:
    rows = {
        json.dumps([point["row"].get(key) for key in frames.COLUMNS[f"{name}.csv"][:3]]): point
        for point in content(results / "explorer.html")["points"]
        if point["table"] == f"{name}.csv"
    }
    table = frames.read(results / "tables", f"{name}.csv").drop(columns="seed", errors="ignore")
    assert len(rows) == len(table) > 0
    for record in table.to_dict("records"):
        known = {key: value for key, value in record.items() if not pd.isna(value)}
        point = rows[json.dumps([known.get(key) for key in frames.COLUMNS[f"{name}.csv"][:3]])]
        assert point["row"] == known
        assert point["certified"] == known["certified"]


def test_intervals_hold_what_was_proved(results: Path) -> None:
    page = content(results / "explorer.html")
    point = next(p for p in page["points"] if p["id"].endswith("/smallest-0-L3"))
    (_, *optimum), (_, *dual) = point["intervals"]
    # X = Y = (1, −1): P = 3 and D = (3/2) 2^{2/3} (theory §6).
    assert optimum[0] <= 3 <= optimum[1] < 3 + 1e-6
    assert dual[0] <= 1.5 * 2 ** (2 / 3) <= dual[1] < 2.382
    assert point["kind"] == "positive"


def test_a_certificate_says_on_the_page_what_the_command_beside_it_says(
    results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for section in content(results / "explorer.html")["sections"][-3:-1]:
        point = content(results / "explorer.html")["points"][section["points"][0]]
        for proof in point["proofs"]:
            lines = Path(proof["file"]).read_text().splitlines(keepends=True)
            (tmp_path / "one.jsonl").write_text(lines[proof["line"] - 1])
            assert cli.main(["verify", str(tmp_path / "one.jsonl"), "--explain"]) == 0
            _, *said = capsys.readouterr().out.splitlines()
            assert [line[2:] for line in said] == proof["words"]


def test_every_certified_problem_has_its_certificate_network_and_data(results: Path) -> None:
    page = content(results / "explorer.html")
    for point in page["points"]:
        assert bool(point["proofs"]) == point["certified"]
        if point["certified"]:
            asked, widths = point["row"], point["network"]["branches"][0]["widths"]
            shown = page["data"][point["data"]]
            assert (shown["n"], shown["d"]) == (asked["n"], asked["d"])
            assert widths[0] == asked["d"]
    assert len(page["data"]) == len({json.dumps(one) for one in page["data"]})


def test_the_page_asks_no_network_and_no_name_in_it_is_markup(results: Path) -> None:
    text = (results / "explorer.html").read_text(encoding="utf-8")
    # The name of a namespace is no address.
    assert set(re.findall(r"https?://[^\"' ]*", text)) == {"http://www.w3.org/2000/svg"}
    assert not re.search(r"<link|@import|url\(|\bfetch\(|XMLHttpRequest|import\(", text)
    assert text.count("</script") == text.count("<script") == 2
    points = content(results / "explorer.html")["points"]
    assert EVIL in {point["row"].get("instance") for point in points}


def test_a_run_of_own_data_alone_has_a_page(results: Path, tmp_path: Path) -> None:
    row = Row(**read_json(results / "gaps/two-layer-relu/0.json")[0])
    collected(tmp_path, [replace(row, claim=OWN_DATA, setting="file-mine")])
    page = content(written(tmp_path))
    assert [section["id"] for section in page["sections"]] == [OWN_DATA]
    assert [point["id"] for point in page["points"]] == [f"file-mine/{row.instance}"]
    assert page["table1"] == []


def test_a_verdict_that_is_missing_is_named(results: Path, tmp_path: Path) -> None:
    copy = tmp_path / "results"
    shutil.copytree(results, copy)
    (copy / "verdicts/search/0.json").unlink()
    with pytest.raises(DataError, match=r"verdicts/search/0\.json cannot be read"):
        written(copy)


def test_a_page_of_the_same_run_is_the_same(results: Path) -> None:
    before = (results / "explorer.html").read_bytes()
    assert written(results).read_bytes() == before


# --- sketches -------------------------------------------------------------------------------------


def test_a_sketch_of_a_network_is_small_and_keeps_the_neurons_that_weigh_most() -> None:
    rng = np.random.default_rng(0)
    W, V = rng.normal(size=(3, 500)) / 100, rng.normal(size=(500, 2))
    W[:, [7, 400]] *= 1000
    sketch = network_sketch([[W, V]], "relu")
    (branch,) = sketch["branches"]
    assert branch["widths"] == [3, 500, 2] and sketch["neurons"] == 500
    assert branch["ranks"] == Network(((W, V),), "relu").ranks()
    assert {7, 400} == set(branch["shown"][1])
    largest = np.abs(W[:, [7, 400]]).max()
    assert np.allclose(branch["weights"][0], 100 * W[:, [7, 400]] / largest, atol=0.5)
    many = network_sketch([[W[:, :1] * j, V[:1]] for j in range(1, 30)], "relu")
    assert many["count"] == 29 and len(many["branches"]) == 8
    assert len(json.dumps(network_sketch([[rng.normal(size=(90, 90))] * 5], "relu"))) < 5000


def test_a_sketch_of_no_network_is_one() -> None:
    zero = network_sketch([[np.zeros((3, 2)), np.zeros((2, 1))]], "relu")
    assert zero["branches"][0]["ranks"] == [0, 0]


def test_a_sketch_of_data_shows_a_corner_and_a_plane() -> None:
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(1000, 30)), np.eye(3)[rng.integers(3, size=1000)]
    large = data_sketch(X, Y)
    assert (large["n"], large["d"], large["k"], large["classes"]) == (1000, 30, 3, True)
    assert np.shape(large["X"]) == (12, 8) and np.allclose(large["X"], X[:12, :8], rtol=1e-3)
    assert len(large["points"]) == 200 and {c for *_, c in large["points"]} == {0, 1, 2}
    line = data_sketch(np.outer(np.arange(1.0, 5), [3.0, 4]), np.arange(1.0, 5)[:, None])
    assert [p[:2] for p in line["points"]] == [[5 * i, i] for i in range(1, 5)]
    assert "points" not in data_sketch(rng.normal(size=(5, 4)), rng.normal(size=(5, 1)))


# --- in a browser ---------------------------------------------------------------------------------

needs_chromium = pytest.mark.skipif(not CHROMIUM, reason="there is no chromium")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    opened = Browser(tmp_path_factory.mktemp("browser"))
    yield opened
    opened.close()


@pytest.fixture
def page(browser: Browser, results: Path) -> Iterator[tuple[Browser, str]]:
    """A browser and the address of the page; at the end nothing has failed in it."""
    browser.wide(1100)
    browser.failures.clear()
    yield browser, (results / "explorer.html").as_uri()
    assert browser.failures == []


@needs_chromium
def test_a_link_opens_a_claim_a_problem_or_says_that_there_is_none(
    page: tuple[Browser, str], results: Path
) -> None:
    browser, address = page
    browser.open(address)
    assert "Two-layer networks have no duality gap." in browser.text()
    browser.open(f"{address}#claim/relu-standard-rank-one")
    assert browser.run("document.querySelectorAll('svg a').length") == 4
    for point in content(results / "explorer.html")["points"]:
        browser.open(f"{address}#problem/{quote(point['id'], safe='')}")
        text = browser.text()
        assert point["id"] in text
        for value in filter(None, (v for _, *ends in point["intervals"] for v in ends)):
            assert json.dumps(value).removesuffix(".0") in text
        for proof in point["proofs"]:
            assert f"sed -n {proof['line']}p {proof['file']}" in text
            assert all(line[10:].strip() in text for line in proof["words"])
        assert browser.run("document.title") == f"{point['id']} · zerogap explorer"
    browser.open(f"{address}#problem/%E0%A4%A")
    assert "There is no such page" in browser.text()


def reach(browser: Browser, what: str) -> None:
    """Press Tab until something has the focus, which must not take long."""
    for _ in range(8):
        browser.press("Tab")
        if browser.run(f"document.activeElement.matches({json.dumps(what)})"):
            return
    pytest.fail(f"Tab does not reach {what}")


@needs_chromium
def test_all_of_it_can_be_walked_by_keyboard(page: tuple[Browser, str]) -> None:
    browser, address = page
    browser.open(address)
    reach(browser, "[data-walk]")
    first = browser.run("document.activeElement.textContent")
    browser.press("ArrowDown")
    assert browser.run("document.activeElement.textContent") != first
    browser.press("ArrowUp", "Enter")
    browser.until("document.activeElement.tagName === 'H1'")
    assert browser.run("location.hash") == "#claim/two-layer"
    assert browser.run("document.activeElement.textContent") == first
    reach(browser, "svg *")
    reached = browser.run("document.activeElement.getAttribute('aria-label')")
    assert "relative gap" in reached and reached in browser.text()
    browser.press("ArrowRight")
    assert browser.run("document.activeElement.getAttribute('aria-label')") != reached
    opened = browser.run("document.activeElement.getAttribute('href')")
    browser.press("Enter")
    browser.until("document.querySelector('h1').textContent.startsWith('two-layer-relu/')")
    assert browser.run("location.hash") == opened
    neighbour = "before" if browser.run("document.getElementById('after') === null") else "after"
    browser.press({"before": "ArrowLeft", "after": "ArrowRight"}[neighbour])
    heading = "document.querySelector('h1').textContent"
    browser.until(f"'#problem/' + encodeURIComponent({heading}) !== {json.dumps(opened)}")
    left = browser.run("location.hash")
    browser.press("Escape")
    browser.until(f"document.activeElement.getAttribute('href') === {json.dumps(left)}")
    assert browser.run("location.hash") == "#claim/two-layer"
    browser.press("Escape")
    browser.until(f"document.activeElement.textContent === {json.dumps(first)}")
    assert browser.run("location.hash") == ""


@needs_chromium
def test_it_fits_a_phone_and_everything_that_can_be_pressed_has_a_name(
    page: tuple[Browser, str], results: Path
) -> None:
    browser, address = page
    browser.wide(390)
    whole = content(results / "explorer.html")
    pages = [f"#claim/{section['id']}" for section in whole["sections"]]
    pages += [f"#problem/{quote(point['id'], safe='')}" for point in whole["points"]]
    for place in ["", *pages]:
        browser.open(address + place)
        assert browser.run("document.documentElement.scrollWidth") <= 390, place
        nameless = browser.run(
            "[...document.querySelectorAll('a, button, select, input, pre, [role=img], .scroll')]"
            ".filter((e) => !e.textContent.trim() && !e.ariaLabel && !e.labels?.length)"
            ".map((e) => e.outerHTML)"
        )
        assert nameless == [], place


@needs_chromium
def test_an_axis_can_be_chosen_and_another_look(page: tuple[Browser, str]) -> None:
    browser, address = page
    browser.open(f"{address}#claim/relu-standard-rank-one")
    before = browser.run("document.querySelector('figure svg').getAttribute('aria-label')")
    browser.run(
        "(s => { s.value = String(s.options.length - 1); s.dispatchEvent(new Event('change')); })"
        "([...document.querySelectorAll('select')].at(-1))"
    )
    assert browser.run("document.querySelector('figure svg').getAttribute('aria-label')") != before
    ground = "getComputedStyle(document.body).backgroundColor"
    light = browser.run(ground)
    browser.run("document.querySelector('header button').click()")
    assert browser.run(ground) != light
