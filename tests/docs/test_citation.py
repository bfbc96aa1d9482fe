"""CITATION.cff, .zenodo.json and the package say the same of authors and licence."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import yaml

from zerogap import __version__

ROOT = Path(__file__).resolve().parents[2]
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
ZENODO = json.loads((ROOT / ".zenodo.json").read_text(encoding="utf-8"))


def test_the_citation_has_what_its_format_demands_and_no_more_than_it_knows() -> None:
    assert CITATION["cff-version"] == "1.2.0" and CITATION["type"] == "software"
    assert {"message", "title", "authors"} <= set(CITATION)
    (paper,) = CITATION["references"]
    assert {"type", "title", "authors"} <= set(paper)
    assert all({"family-names", "given-names"} == set(author) for author in paper["authors"])
    assert paper["url"].rpartition("/")[2] == paper["doi"].rpartition("arXiv.")[2]


def test_one_version_title_author_and_licence_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert CITATION["version"] == ZENODO["version"] == project["version"] == __version__
    assert CITATION["title"] == ZENODO["title"]
    assert CITATION["title"].lower() == f"{project['name']}: {project['description']}".lower()
    authors = [author["name"] for author in CITATION["authors"]]
    assert authors == [creator["name"] for creator in ZENODO["creators"]] == ["zerogap authors"]
    licence = (ROOT / project["license"]["file"]).read_text(encoding="utf-8")
    assert licence.startswith(f"{CITATION['license']} License\n") and authors[0] in licence
    assert CITATION["license"] == ZENODO["license"]
    assert CITATION["abstract"] == ZENODO["description"]
    assert CITATION["keywords"] == ZENODO["keywords"]
    assert CITATION["references"][0]["doi"] == ZENODO["related_identifiers"][0]["identifier"]
