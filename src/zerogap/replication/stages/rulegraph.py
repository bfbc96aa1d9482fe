"""The graph of the rules, made readable: left to right, in groups, without what others imply."""

import re
from collections import Counter
from pathlib import Path

from zerogap.model.files import write_text

# Which rules stand together; a rule that is not named here stands by itself.
GROUPS = {
    "every batch": ("generate", "train", "solve_dual", "certify", "verify"),
    "tables of the claims": ("collect", "table1", "scoreboard"),
    "studies": ("audits", "audits_table", "depth_study", "depth_table", "search", "search_table"),
    "to read": ("figures", "notebook", "provenance", "paper"),
}

Edges = set[tuple[str, str]]


def run(graph: Path, output: Path) -> int:
    """Write Snakemake's rule graph in mermaid again; returns the number of rules."""
    edges = parsed(graph.read_text(encoding="utf-8"))
    write_text(output, drawn(reduced(edges)))
    return len({rule for edge in edges for rule in edge})


def parsed(text: str) -> Edges:
    """Who hands files to whom, by the names of rules; the target `all` is left out."""
    names = dict(re.findall(r"^\s*(id\d+)\[(\w+)\]", text, re.M))
    edges = re.findall(r"^\s*(id\d+) --> (id\d+)", text, re.M)
    return {(names[a], names[b]) for a, b in edges if names[b] != "all"}


def reduced(edges: Edges) -> Edges:
    """Without the edges that a longer way implies."""

    def reached(start: str, skipped: tuple[str, str]) -> set[str]:
        seen, todo = set[str](), [start]
        while todo:
            rule = todo.pop()
            after = {b for a, b in edges if a == rule and (a, b) != skipped} - seen
            seen |= after
            todo += after
        return seen

    return {(a, b) for a, b in edges if b not in reached(a, (a, b))}


def drawn(edges: Edges) -> str:
    """The graph in mermaid; several edges from one group to another are one, between the groups."""
    rules = {rule for edge in edges for rule in edge}
    names = {title: f"group{number}" for number, title in enumerate(GROUPS)}
    home = {rule: names[title] for title, members in GROUPS.items() for rule in members}
    ways = Counter((home.get(a, a), home.get(b, b)) for a, b in edges)
    lines = ["---", "title: What flows between the rules", "---", "flowchart LR"]
    for title, members in GROUPS.items():
        present = [f"        {rule}" for rule in members if rule in rules]
        if present:
            lines += [f'    subgraph {names[title]}["{title}"]', *present, "    end"]
    arrows = set()
    for a, b in edges:
        way = home.get(a, a), home.get(b, b)
        arrows.add(way if way[0] != way[1] and ways[way] > 1 else (a, b))
    return "\n".join([*lines, *(f"    {a} --> {b}" for a, b in sorted(arrows))]) + "\n"
