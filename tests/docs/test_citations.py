"""What files cite is in the repository: sections of the theory, documents, paths, commands."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

from zerogap.cli import build_parser
from zerogap.replication.pages.documents import slug

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("benchmarks", "config", "docs", "paper", "profiles", "src", "tests", "workflow")
KINDS = {".ipynb", ".json", ".md", ".py", ".rst", ".smk", ".typ", ".yaml"}


def _texts() -> dict[str, str]:
    files = [*ROOT.glob("*.md"), ROOT / "Makefile", ROOT / "Snakefile", ROOT / "workflow/Snakefile"]
    files += [f for folder in FOLDERS for f in (ROOT / folder).rglob("*") if f.suffix in KINDS]
    here = Path(__file__)
    return {
        str(f.relative_to(ROOT)): f.read_text(encoding="utf-8") for f in sorted(files) if f != here
    }


TEXTS = _texts()
PAGES = {name: text for name, text in TEXTS.items() if name.endswith(".md")}
SECTIONS = {int(n) for n in re.findall(r"^## (\d+)\. \S", PAGES["docs/theory.md"], re.MULTILINE)}


def _lines(pattern: str, texts: dict[str, str]) -> Iterator[tuple[str, re.Match[str]]]:
    """Every match with its place, file:line."""
    for name, text in texts.items():
        for match in re.finditer(pattern, text):
            yield f"{name}:{text.count(chr(10), 0, match.start()) + 1}", match


def test_the_theory_has_its_eleven_sections_in_order() -> None:
    headings = re.findall(r"^## (.*)", PAGES["docs/theory.md"], re.MULTILINE)
    assert [heading.split(".")[0] for heading in headings] == [str(n) for n in range(1, 12)]


def test_every_cited_section_of_the_theory_exists() -> None:
    cited = [(place, int(match[1])) for place, match in _lines(r"§\s?(\d+)", TEXTS)]
    assert len({place for place, _ in cited if place.startswith("src/")}) >= 20
    assert [place for place, section in cited if section not in SECTIONS] == []


def test_no_file_cites_a_document_that_is_not_in_the_repository() -> None:
    absent = r"(?i)\b(?:design|theory): |\bdesign(?:\.md|,? §| document)|\btheory,? section"
    assert [place for place, _ in _lines(absent, TEXTS)] == []
    names = r"(?<![\w./{}*-])((?:[\w-]+/)*[\w-]+\.(?:md|typ))\b"
    # results/tables, results/figures: made by a run; made/, index.md: pages of its site.
    made = ("results/tables/", "table1.md", "claims.md", "made/", "index.md")
    missing = [
        f"{place} names {match[1]}"
        for place, match in _lines(names, {n: t for n, t in TEXTS.items() if "tests/" not in n})
        if not match[1].startswith(made)
        and not any(
            (base / match[1]).is_file()
            for base in (ROOT, *(ROOT / f for f in ("docs", "docs/guide", "config", "paper")))
        )
    ]
    assert missing == []


def test_what_the_theory_cites_of_other_documents_is_there() -> None:
    """Propositions, theorems and lemmas of the paper; paragraphs of certificates.md."""
    text = PAGES["docs/theory.md"]
    stated = set(re.findall(r'#claim\("(\w+ \d+)"\)', TEXTS["paper/replication.typ"]))
    named = set(re.findall(r"\b(?:Proposition|Theorem|Lemma) \d+", text))
    assert len(named) == len(stated)
    assert named == stated
    paragraphs = set(re.findall(r"^\*\*([\w -]+)\.\*\*", PAGES["docs/certificates.md"], re.M))
    assert set(re.findall(r"\*\*([A-Z][\w -]+)\*\*(?=[^.\n]* in certificates)", text)) <= paragraphs


def _braces(path: str) -> list[str]:
    """a.{b,c} is a.b and a.c."""
    parts = [part.split(",") for part in re.split(r"[{}]", path)]
    return ["".join(chosen) for chosen in product(*parts)]


def test_paths_that_the_documentation_names_exist() -> None:
    folders = "|".join((*FOLDERS, r"results/reference"))
    pattern = rf"(?<![\w./-])((?:{folders})/[\w./{{}},*-]*[\w}}/*])"
    named = [(place, path) for place, m in _lines(pattern, PAGES) for path in _braces(m[1])]
    assert len(named) >= 20
    made = ("paper/replication.pdf",)
    missing = [f"{place}: {p}" for place, p in named if p not in made and not any(ROOT.glob(p))]
    assert missing == []


def test_links_of_the_documentation_lead_to_files() -> None:
    links = list(_lines(r"\]\((?!https?:)([^)#\s]+)", PAGES))
    assert len(links) >= 8
    broken = [
        f"{place}: {match[1]}"
        for place, match in links
        if not (ROOT / place.rsplit(":", 1)[0]).parent.joinpath(match[1]).exists()
    ]
    assert broken == []


def test_anchors_that_the_documentation_links_to_are_headings() -> None:
    links = list(_lines(r"\]\((?!https?:)([^)#\s]*)#([^)\s]+)\)", PAGES))
    assert len(links) >= 3
    broken = []
    for place, match in links:
        name = place.rsplit(":", 1)[0]
        page = (ROOT / name).parent / match[1] if match[1] else ROOT / name
        headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
        if match[2] not in map(slug, headings):
            broken.append(f"{place}: {match[0]}")
    assert broken == []


def _resolves(name: str) -> bool:
    """Whether a dotted name is a module, or a name that one defines or imports at its top."""
    *folders, last = name.split(".")
    for base in (ROOT / "src", ROOT):
        path = base.joinpath(*folders)
        if (path / last).is_dir() or (path / f"{last}.py").is_file():
            return True
        for module in (path.with_suffix(".py"), path / "__init__.py"):
            if module.is_file():
                top = ast.parse(module.read_text(encoding="utf-8")).body
                return last in {name for node in top for name in _names(node)}
    return False


def _names(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Import | ast.ImportFrom):
        return [alias.asname or alias.name for alias in node.names]
    if isinstance(node, ast.If):  # names for type checkers load on first use
        return [name for inner in node.body for name in _names(inner)]
    targets = getattr(node, "targets", [getattr(node, "target", None)])
    return [target.id for target in targets if isinstance(target, ast.Name)]


def test_modules_and_functions_that_the_documentation_names_exist() -> None:
    pattern = r"(?<![\w./-])((?:zerogap|benchmarks)(?:\.[A-Za-z_]\w*)+)"
    names = {match[1]: place for place, match in _lines(pattern, PAGES)}
    assert len(names) >= 8
    assert [f"{place}: {name}" for name, place in names.items() if not _resolves(name)] == []


def _commands(start: str) -> list[str]:
    """Commands in spans and indented or fenced blocks of code, up to a comment or a pipe."""
    code = rf"(?:`|^    +)({start} [^`\n]*)"
    found = (match[1] for _, match in _lines(rf"(?m){code}", PAGES))
    return [re.split(r"\s+(?:#|\|)", command)[0].strip() for command in found]


@pytest.mark.parametrize("command", _commands("zerogap"))
def test_commands_of_the_documentation_are_accepted(command: str) -> None:
    build_parser().parse_args(shlex.split(command)[1:])


def test_targets_of_make_that_the_documentation_names_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", TEXTS["Makefile"], re.MULTILINE))
    named = {target for command in _commands("make") for target in command.split()[1:]}
    assert {"test", "bench"} <= named <= targets
