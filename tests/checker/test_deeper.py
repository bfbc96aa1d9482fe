"""The path program of depth four can be below three layers: the certificate proves it, or fails."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

from zerogap.checker import verify
from zerogap.replication.studies.depth import Comparison, certificate, compare
from zerogap.solving.certificates import matrix


@pytest.fixture(scope="module")
def example() -> Comparison:
    """The fourth draw of normal data, n = 6, d = 3, at seed 0."""
    rng = np.random.default_rng(0)
    for _ in range(4):
        X, y = rng.normal(size=(6, 3)), rng.normal(size=6)
    return compare(X, y)


@pytest.fixture(scope="module")
def proof(example: Comparison) -> dict[str, Any]:
    return certificate(example, "fourth-draw")


def refusal(proof: dict[str, Any], change: Any) -> str:
    tampered = copy.deepcopy(proof)
    change(tampered)
    verdict = verify(tampered)
    assert not verdict.accepted
    return verdict.reason


def test_four_unshared_layers_are_strictly_cheaper_than_three_layers(
    example: Comparison, proof: dict[str, Any]
) -> None:
    verdict = verify(proof)
    assert verdict.accepted, verdict.reason
    assert verdict.status == "zero"  # D₁(3) itself is known
    assert 1 - verdict.deeper_upper / verdict.dual == pytest.approx(9.128e-4, rel=1e-3)
    assert verdict.deeper_upper == pytest.approx(1.5 * example.four.upper, rel=1e-9)


def test_a_shallower_neuron_counts_as_a_deeper_one(proof: dict[str, Any]) -> None:
    deeper = copy.deepcopy(proof)
    deeper["deeper"]["depth"] = 9
    assert verify(deeper).deeper_upper == verify(proof).deeper_upper


def test_a_path_network_with_more_layers_than_stated_is_refused(proof: dict[str, Any]) -> None:
    def nest(tampered: dict[str, Any]) -> None:
        node = tampered["deeper"]["path"]
        inner = {"inputs": node["inputs"], "mixture": node["mixture"]}
        node["inputs"], node["mixture"] = [inner], matrix(np.ones(1))

    assert "layers" in refusal(proof, nest)


def test_a_changed_weight_is_refused(proof: dict[str, Any]) -> None:
    def change(tampered: dict[str, Any]) -> None:
        node = tampered["deeper"]["path"]["inputs"][0]
        while isinstance(node["inputs"], list):
            node = node["inputs"][0]
        shape = node["inputs"]["shape"]
        node["inputs"] = matrix(np.full(shape, 0.5))

    assert "more than epsilon" in refusal(proof, change)


def test_a_claim_below_the_networks_cost_is_refused(proof: dict[str, Any]) -> None:
    def change(tampered: dict[str, Any]) -> None:
        tampered["claimed"]["deeper_upper"] = (8.81414431).hex()

    assert "claimed.deeper_upper" in refusal(proof, change)


def test_the_three_layer_network_itself_is_no_counterexample(example: Comparison) -> None:
    three = example.three
    same = Comparison(example.X, example.y, three, three)
    verdict = verify(certificate(same, "same"))
    assert not verdict.accepted
    assert "is not below" in verdict.reason


@pytest.mark.parametrize("depth", [3, 51, "4", True])
def test_a_depth_that_is_not_greater_is_refused(proof: dict[str, Any], depth: Any) -> None:
    def change(tampered: dict[str, Any]) -> None:
        tampered["deeper"]["depth"] = depth

    assert "deeper.depth" in refusal(proof, change)


def test_shapes_that_do_not_fit_are_refused(proof: dict[str, Any]) -> None:
    assert "mixture" in refusal(proof, lambda p: p["deeper"]["path"]["inputs"].pop())
    node = {"inputs": matrix(np.ones((2, 1))), "mixture": matrix(np.ones(1))}
    assert "rows" in refusal(proof, lambda p: p["deeper"].update(path=node))


def test_the_statement_is_for_interpolation_by_scalar_relu_networks(proof: dict[str, Any]) -> None:
    def change(tampered: dict[str, Any]) -> None:
        tampered["problem"]["beta"], tampered["epsilon"] = (1e-3).hex(), (0.0).hex()

    assert "deeper: this block is for" in refusal(proof, change)
