"""The site: its links lead somewhere, it loads nothing, and it says what the run says."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterator
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from tests.docs.conftest import ROOT
from tests.docs.test_citations import _commands
from zerogap.cli import main
from zerogap.model.errors import DataError
from zerogap.replication.pages import api, claims
from zerogap.replication.pages.documents import Documents
from zerogap.replication.pages.examples import executed
from zerogap.replication.pages.numbers import down, share, up


class Page(HTMLParser):
    """What a page links to, what it loads, and the anchors that it has."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("id", "name") and value:
                self.anchors.add(value)
            elif name == "href" and value and tag == "a":
                self.links.append(unquote(value))
            elif name in ("src", "srcset", "href", "data") and value:
                self.loads.append(unquote(value))


def pages(folder: Path) -> dict[Path, Page]:
    return {path: Page(path.read_text(encoding="utf-8")) for path in folder.rglob("*.html")}


# --- the whole site -------------------------------------------------------------------------------


def test_every_link_of_the_site_leads_to_a_page_and_an_anchor_that_are_there(built: Path) -> None:
    found = pages(built)
    assert len(found) > 20
    broken = []
    for path, page in found.items():
        for link in page.links:
            target, _, anchor = link.partition("#")
            if re.match(r"[a-z]+:", target):
                continue
            there = (path.parent / target).resolve() if target else path
            anchors = found[there].anchors if there in found else set()
            if not there.is_file() or (anchor and anchor not in anchors):
                broken.append(f"{path.relative_to(built)}: {link}")
    assert broken == []


def test_no_page_loads_anything_from_elsewhere(built: Path) -> None:
    for path, page in pages(built).items():
        for load in page.loads:
            if not load.startswith(("data:", "#")):
                name = load.partition("?")[0].partition("#")[0]
                assert (path.parent / name).is_file(), f"{path.relative_to(built)}: {load}"
    for style in built.rglob("*.css"):
        text = style.read_text(encoding="utf-8")
        assert not re.search(r"@import|url\(\s*['\"]?(?:https?:)?//", text), style
    for script in built.rglob("*.js"):
        text = script.read_text(encoding="utf-8")
        assert not re.search(r"(?:fetch|import|importScripts)\(\s*['\"`](?:https?:)?//", text), (
            script
        )


def test_the_site_has_a_page_for_every_claim_of_the_run_with_its_rows(
    run: Path, built: Path
) -> None:
    claims = pd.read_csv(run / "tables/claims.csv").set_index("claim")
    assert {path.stem for path in (built / "claims").glob("*.html")} == {"index", *claims.index}
    gaps = pd.read_csv(run / "tables/gaps.csv")
    for claim, row in claims.iterrows():
        text = (built / f"claims/{claim}.html").read_text(encoding="utf-8")
        assert row["statement"] in text and row["verdict"].capitalize() in text
        for problem in gaps[gaps["claim"] == claim].itertuples():
            cells = f"<td>{up(problem.primal)}</td><td>{down(problem.dual)}</td>"
            assert f"<tr><td>{problem.instance}</td>" in text and cells in text
    assert "relu-depth.png" in (built / "claims/two-layer.html").read_text(encoding="utf-8")


def test_the_site_names_what_made_it_and_has_its_notebooks(built: Path) -> None:
    text = (built / "made/run.html").read_text(encoding="utf-8")
    assert "abc123" in text and '<a href="../notebooks/small.html">A small run</a>' in text
    assert '<a href="../explorer.html">' in text and (built / "explorer.html").is_file()
    assert "<math " in (built / "notebooks/small.html").read_text(encoding="utf-8")


def test_examples_of_the_site_print_what_they_should(built: Path) -> None:
    """They ran when the site was made, those that are taken from README with them."""

    def printed(page: str) -> str:
        text = (built / f"docs/guide/{page}.html").read_text(encoding="utf-8")
        return re.sub(r"<[^>]*>", "", text).replace("&#39;", "'")

    assert re.search(r"certified +yes", printed("first-audit"))
    assert "2.3811015779" in printed("data") and "accepted=True" in printed("data")
    assert "proved is 2.38" in printed("certificate") and "is refused" in printed("certificate")
    assert printed("network").count("your network is at most") == 1
    assert "usage: zerogap solve" in printed("commands")


def test_public_names_are_on_their_pages(built: Path) -> None:
    import zerogap

    text = (built / "made/zerogap.html").read_text(encoding="utf-8")
    for name in zerogap.__all__:
        assert f'id="zerogap.{name}"' in text
    for page, (_, modules) in api.PAGES.items():
        text = (built / f"made/{page}.html").read_text(encoding="utf-8")
        for names in modules.values():
            assert all(f'<span class="pre">{name}</span>' in text for name in names)


# --- commands of README ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def desk(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files that README's commands name."""
    folder = tmp_path_factory.mktemp("desk")
    rng = np.random.default_rng(0)
    X = rng.normal(size=(6, 2))
    np.savez(folder / "data.npz", X=X, Y=np.maximum(X[:, :1], 0))
    rows = [f"{a:.17g},{b:.17g},{a + b:.17g},{a - b:.17g},{int(a > 0)}" for a, b in X]
    (folder / "data.csv").write_text("\n".join(["a,b,y1,y2,class", *rows]))
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    np.savez(
        folder / "network.npz",
        **{f"{kind}{i}": p.detach().numpy().T for i, layer in ((1, model[0]), (2, model[2]))
           for kind, p in (("W", layer.weight), ("b", layer.bias))},
    )  # fmt: skip
    classes = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
    torch.save(classes.state_dict(), folder / "model.pt")
    kept = ("certificates", "tables", "gaps")
    for name in ("results", "results/smoke", "results/mine"):
        for part in kept:
            shutil.copytree(run / part, folder / name / part)
    proof = (ROOT / "docs/golden/accepted/rank-one.jsonl").read_text(encoding="utf-8")
    (folder / "proof.jsonl").write_text(proof)
    for part in ("accepted", "refused"):
        shutil.copytree(ROOT / "docs/golden" / part, folder / "docs/golden" / part)
    return folder


def whole(commands: list[str]) -> Iterator[str]:
    """The commands that are more than a name and one option."""
    yield from sorted({command for command in commands if "…" not in command})


@pytest.mark.parametrize("command", whole(_commands("zerogap")))
def test_commands_of_the_documents_do_what_they_say(
    command: str, desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(desk)
    assert main(shlex.split(command)[1:]) == (1 if command.endswith("refused") else 0)


# --- parts ----------------------------------------------------------------------------------------


def test_an_example_that_fails_or_runs_another_program_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="an example failed, ZeroDivisionError"):
        executed("```python\n1 / 0\n```\n", tmp_path)
    with pytest.raises(DataError, match="an example runs 'rm'"):
        executed("```sh\nrm -r x\n```\n", tmp_path)


def test_blocks_share_names_and_a_folder_and_shown_output_is_left_alone(tmp_path: Path) -> None:
    shown = "```python\nprint(1)\n```\n\n```\n2\n```\n"
    first = "```python\nfrom pathlib import Path\nPath('a').touch()\n```\n"
    second = "```python\nprint(Path('a').resolve())\n```\n"
    text = executed(shown + first + second, tmp_path)
    assert text == f"{shown}{first}{second}\n```text\n{tmp_path.resolve() / 'a'}\n```\n"


README = (
    "# Name\n\nHead [more](#far-away), [t](docs/t.md).\n\n## Far away\n\n![p](a/p.png) [h](#no)\n"
)


def test_sections_of_readme_move_with_their_links() -> None:
    texts = {"docs/guide/x.md": "# X\n\n<!-- README: Far away -->\n", "index.md": ""}
    documents = Documents(README, texts)
    assert documents.untaken == set()
    assert "[more](docs/guide/x.md#far-away), [t](docs/t.md)" in documents.section("", "index.md")
    assert "## Far away\n\n![p](../../a/p.png)" in documents.text("docs/guide/x.md")
    assert Documents(README, {"y.md": ""}).untaken == {"Far away"}
    with pytest.raises(DataError, match=r"y\.md takes 'Near' of README; accepted are Far away"):
        Documents(README, {"y.md": "<!-- README: Near -->"}).text("y.md")


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(1, 9))
def test_printed_bounds_are_rounded_outward_by_less_than_a_digit(value: float, digits: int) -> None:
    low, high = Decimal(down(value, digits)), Decimal(up(value, digits))
    assert low <= Decimal(value) <= high
    unit = Decimal(1).scaleb(Decimal(value).adjusted() - digits + 1) if value else 0
    assert high - low in (0, unit)


@given(st.floats(1e-300, 10))
def test_a_printed_gap_is_no_smaller_than_the_gap(value: float) -> None:
    text = share(value)
    shown = Decimal(text.removesuffix(" %")) / (100 if text.endswith("%") else 1)
    # In percent the product is a float.
    assert Decimal(value) * (1 - Decimal("1e-15")) <= shown <= Decimal(value) * Decimal("1.11")


def test_there_is_no_gap_below_zero_and_what_is_missing_is_said() -> None:
    assert share(-1e-16) == share(0.0) == "0"
    assert share(np.nan) == up(np.nan) == down(-np.inf) == "not known"


def test_a_run_of_own_data_alone_has_one_page_of_problems(run: Path, tmp_path: Path) -> None:
    (tmp_path / "tables").mkdir()
    for name in ("gaps.csv", "details.csv"):
        frame = pd.read_csv(run / "tables" / name).assign(claim="own-data", setting="file-mine")
        frame.to_csv(tmp_path / "tables" / name, index=False)
    made = claims.pages(tmp_path)
    assert set(made) == {"index", "own-data"} and "\nown-data\n" in made["index"]
    assert made["own-data"].count("<tr><td>relu-") == len(frame) == 2
    assert f"zerogap verify {tmp_path}/certificates/file-mine" in made["own-data"]
