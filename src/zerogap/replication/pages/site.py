"""The site of a run: documents, what was found, and the names of the package, readable offline.

Its sources mirror the repository, so that the links of the documents hold; pages that are made
stand beside them. Sphinx turns them into HTML that loads nothing from elsewhere.
"""

import io
import os
import shutil
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

from zerogap.model.errors import DataError
from zerogap.replication.pages import api, benchmarks, claims, run
from zerogap.replication.pages.documents import LINK, Documents
from zerogap.replication.pages.examples import executed

# The documents of the repository, in the order of the menu; those in `made` and
# `claims` are written from the run.
MENU: dict[str, tuple[str, ...]] = {
    "Start": (
        "docs/guide/first-audit", "docs/guide/data", "docs/guide/network",
        "docs/guide/certificate", "docs/guide/commands",
    ),
    "What was found": ("claims/index", "made/run", "made/benchmarks", "results/reference/claims"),
    "Mathematics": (
        "docs/theory", "docs/certificates", "docs/trust", "docs/golden/README", "checker-go/README",
    ),
    "Names": tuple(f"made/{name}" for name in api.PAGES),
    "The house": (
        "docs/guide/replication", "config/README", "docs/architecture", "docs/guide/adding",
    ),
}  # fmt: skip

# Links of the documents to folders, which a browser cannot show.
_FOLDERS = {"results/reference/benchmarks": "made/benchmarks.md"}

_OPTIONS: dict[str, Any] = {
    "project": "zerogap",
    "html_title": "zerogap",
    "extensions": ["myst_parser"],
    "myst_enable_extensions": ["colon_fence"],
    "myst_heading_anchors": 4,
    "html_theme": "furo",
    "html_copy_source": False,
    "html_show_copyright": False,
    "smartquotes": False,
    "python_maximum_signature_line_length": 80,
}


def build(repository: Path, results: Path, paper: Path, output: Path) -> int:
    """Make the site in the folder `output`; the number of its pages.

    Raises DataError where a document, a link or an example is wrong.
    """
    output.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".site-", dir=output.parent) as name:
        folder = Path(name).resolve()
        sources, extra = folder / "sources", folder / "extra"
        _gather(repository, results, paper, sources, extra)
        _sphinx(sources, extra, folder)
        shutil.rmtree(output, ignore_errors=True)
        (folder / "html").rename(output)
    return len(list(output.rglob("*.html")))


def _gather(repository: Path, results: Path, paper: Path, sources: Path, extra: Path) -> None:
    """Write all sources, and what is taken over as it is."""
    extra.mkdir()
    for end in ("html", "ipynb"):
        for path in (results / "notebooks").glob(f"*.{end}"):
            _copy(path, extra / "notebooks" / path.name)
    for path, name in ((results / "explorer.html", "explorer.html"), (paper, "replication.pdf")):
        if path.is_file():
            _copy(path, extra / name)
    for kind in ("tables/*.csv", "figures/*.png"):
        for path in results.glob(kind):
            _copy(path, sources / "results" / path.relative_to(results))
    names = [
        page
        for pages in MENU.values()
        for page in pages
        if page.startswith(("docs", "config", "checker-go"))
    ]
    texts = {f"{name}.md": _read(repository / f"{name}.md") for name in names}
    kept = _read(repository / "results/reference/claims.md")
    texts["results/reference/claims.md"] = f"# The last committed run\n\n{kept}"
    texts["index.md"] = ""
    texts["made/benchmarks.md"] = "".join(
        f"<!-- README: {name} -->\n" for name in ("How far one gets", "What it costs")
    )
    documents = Documents(_read(repository / "README.md"), texts)
    if documents.untaken:
        raise DataError(f"no page has the section of README {sorted(documents.untaken)[0]!r}")
    pages = {name: documents.text(name) for name in texts}
    tested = claims.pages(results)
    pages["index.md"] = _index(documents, results)
    pages["made/benchmarks.md"] = benchmarks.page(repository, [pages["made/benchmarks.md"]])
    pages["made/run.md"] = run.page(results, extra)
    pages |= {f"made/{name}.md": api.page(name) for name in api.PAGES}
    pages |= {f"claims/{name}.md": text for name, text in tested.items()}
    for name, text in pages.items():
        if name.startswith("docs/guide/"):
            with TemporaryDirectory() as folder:
                text = executed(text, Path(folder))
        path = sources / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_linked(name, text, repository, sources), encoding="utf-8")


def _index(documents: Documents, results: Path) -> str:
    """The first page: what README begins with, in the pictures of this run, and the menu."""
    text = documents.section("", "index.md")
    for path in (results / "figures").glob("*.png"):
        text = text.replace(f"results/reference/{path.name}", f"results/figures/{path.name}")
    lines = ["# zerogap\n", text, ""]
    for caption, pages in MENU.items():
        body = "\n".join(pages)
        lines.append(f"```{{toctree}}\n:caption: {caption}\n:hidden:\n\n{body}\n```\n")
    return "\n".join(lines)


def _linked(name: str, text: str, repository: Path, sources: Path) -> str:
    """A page whose links lead to what the site has; files of the repository come along."""
    here = PurePosixPath(name).parent

    def checked(link: str) -> str:
        path, _, anchor = link.partition("#")
        target = os.path.normpath(here / path)
        if target in _FOLDERS:
            return f"]({os.path.relpath(_FOLDERS[target], here)})"
        if (repository / target).is_file() and not target.endswith(".md"):
            _copy(repository / target, sources / target)
        return f"]({path}{'#' if anchor else ''}{anchor})"

    return LINK.sub(lambda match: checked(match[1]), text)


def _sphinx(sources: Path, extra: Path, folder: Path) -> None:
    from sphinx.application import Sphinx
    from sphinx.util.console import strip_escape_sequences
    from sphinx.util.docutils import docutils_namespace

    complaints = io.StringIO()
    with docutils_namespace():
        Sphinx(
            str(sources), None, str(folder / "html"), str(folder / "doctrees"), "html",
            confoverrides=_OPTIONS | {"html_extra_path": [str(extra)]},
            status=None, warning=complaints,
        ).build()  # fmt: skip
    said = strip_escape_sequences(complaints.getvalue()).replace(f"{sources}/", "").splitlines()
    if said:
        raise DataError(f"the site has faults, {len(said)} lines of them; the first: {said[0]}")


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _copy(path: Path, to: Path) -> None:
    if not to.exists():
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, to)
