"""The graph of the rules: what it keeps of Snakemake's, and how it is grouped."""

from __future__ import annotations

from pathlib import Path

from zerogap.replication.stages import rulegraph

GIVEN = """---
title: DAG
---
flowchart TB
\tid0[all]
\tid1[generate]
\tid2[train]
\tid3[certify]
\tid4[table1]
\tid5[figures]
\tid6[scoreboard]
\tid7[notebook]
\tid8[mine]
\tstyle id0 fill:#D95757,stroke-width:2px,color:#333333
\tid1 --> id2
\tid2 --> id3
\tid1 --> id3
\tid3 --> id4
\tid4 --> id5
\tid3 --> id5
\tid6 --> id7
\tid5 --> id8
\tid5 --> id0
"""


def test_an_edge_that_a_longer_way_implies_is_left_out() -> None:
    edges = rulegraph.parsed(GIVEN)
    assert ("generate", "certify") in edges and ("certify", "figures") in edges
    assert not any("all" in edge for edge in edges)
    left = edges - rulegraph.reduced(edges)
    assert left == {("generate", "certify"), ("certify", "figures")}


def test_every_rule_is_drawn_and_edges_between_groups_are_one(tmp_path: Path) -> None:
    given, made = tmp_path / "given.mmd", tmp_path / "made.mmd"
    given.write_text(GIVEN)
    assert rulegraph.run(given, made) == 8
    lines = [line.strip() for line in made.read_text().splitlines()]
    assert {"generate", "train", "certify", "table1", "figures", "scoreboard"} <= set(lines)
    arrows = [line for line in lines if "-->" in line]
    assert arrows == [
        "certify --> table1", "figures --> mine", "generate --> train", "group1 --> group3",
        "train --> certify",
    ]  # fmt: skip
