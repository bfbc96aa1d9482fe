"""A picture of the rule graph, from the dot text that Snakemake prints."""

from __future__ import annotations

import re
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import networkx as nx

from zerogap.model.files import replacing


def parse(dot: str) -> nx.DiGraph:
    """The graph of rules: names as labels, edges from producer to consumer."""
    graph = nx.DiGraph()
    names = dict(re.findall(r'(\d+)\[label = "([^"\\]+)', dot))
    graph.add_nodes_from(names.values())
    for source, target in re.findall(r"(\d+) -> (\d+)", dot):
        graph.add_edge(names[source], names[target])
    return graph


def draw(dot: str, output: Path) -> None:
    """Draw the graph in layers, each rule right of all it needs, and write a PNG."""
    graph = nx.transitive_reduction(parse(dot))
    for layer, nodes in enumerate(nx.topological_generations(graph)):
        for node in nodes:
            graph.nodes[node]["layer"] = layer
    places = nx.multipartite_layout(graph, subset_key="layer", scale=1)
    figure, axes = plt.subplots(figsize=(12, 4), layout="constrained")
    nx.draw_networkx_edges(graph, places, ax=axes, edge_color="0.6", node_size=2400)
    for name, (x, y) in places.items():
        axes.annotate(
            name.replace("_", " "),
            (x, y),
            ha="center",
            va="center",
            fontsize=10,
            bbox={"boxstyle": "round,pad=0.4", "facecolor": "#e8eef7", "edgecolor": "#35618f"},
        )
    axes.margins(0.08)
    axes.set_axis_off()
    with replacing(output) as temporary:
        figure.savefig(temporary, dpi=160, metadata={"Software": None})
    plt.close(figure)
