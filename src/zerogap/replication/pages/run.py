"""What a run found, in tables and pictures, and what made it."""

import json
from html import escape
from pathlib import Path

from zerogap.replication.figures import described
from zerogap.replication.pages.claims import picture
from zerogap.replication.pages.markdown import heading, plain, table
from zerogap.replication.pages.markup import html


def page(results: Path, extra: Path) -> str:
    """The Markdown of the page of a run. extra: where its notebooks, explorer and paper are."""
    tables = results / "tables"
    made = json.loads((results / "provenance.json").read_text(encoding="utf-8"))
    changed = ", with changes that were not committed" if made["modified"] else ""
    lines = [
        "# What this run found\n",
        f"Made by commit `{made['commit'] or 'unknown'}`{changed}.\n",
    ]
    if (tables / "table1.md").is_file():
        lines += ["## Table 1\n", (tables / "table1.md").read_text(encoding="utf-8")]
    shown = [name for name in described() if (results / f"figures/{name}.png").is_file()]
    lines += ["## Pictures\n", *map(picture, shown)] if shown else []
    read = [
        (heading(path.with_suffix(".ipynb")), path.relative_to(extra).as_posix())
        for path in sorted(extra.glob("notebooks/*.html"))
    ]
    for title, name in (
        ("Every claim, problem and proof of this run, to click through", "explorer.html"),
        ("The paper, with the numbers of this run", "replication.pdf"),
    ):
        if (extra / name).is_file():
            read.append((title, name))
    if read:
        items = "".join(f'<li><a href="../{link}">{escape(title)}</a></li>' for title, link in read)
        lines += ["## Notebooks, explorer and paper\n", html(f"<ul>{items}</ul>")]
    names = sorted(path.name for path in tables.glob("*.csv"))
    links = [f"- [{name}](../results/tables/{name})" for name in names]
    packages = {**made["packages"], "Python": made["python"], "machine": made["machine"]}
    versions = table(("package", "version"), [(plain(a), plain(b)) for a, b in packages.items()])
    return "\n".join([*lines, "## Tables\n", *links, "\n## What made it\n", versions])
