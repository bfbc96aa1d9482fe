"""Networks as torch modules (the only module, with training and `trained`, that imports torch)."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

from zerogap.model.matrices import Array
from zerogap.model.network import Network


def as_module(network: Network, d: int) -> nn.Module:
    """The network on d inputs as torch's own layers, in float64; it takes arrays and tensors.

    One branch is an nn.Sequential of Linear and ReLU layers, several are a `BranchSum` of them.
    """
    branches = [_sequential(branch, d, network.activation) for branch in network.branches]
    bias = None if network.bias is None else _parameter(network.bias)
    module: nn.Module
    if len(branches) == 1:
        module = branches[0]
        branches[0][-1].register_parameter("bias", bias)
    else:
        module = BranchSum(branches, bias)
    module.register_forward_pre_hook(in_float64)
    return module


class BranchSum(nn.Module):
    """The sum of branches, and of the bias of the outputs, if any."""

    def __init__(self, branches: list[nn.Sequential], bias: nn.Parameter | None) -> None:
        super().__init__()
        self.branches, self.bias = nn.ModuleList(branches), bias

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """Outputs (n, k) for inputs (n, d)."""
        total = sum(branch(X) for branch in self.branches)
        return total if self.bias is None else total + self.bias


def _sequential(branch: tuple[Array, ...], d: int, activation: str) -> nn.Sequential:
    modules: list[nn.Module] = []
    for place, W in enumerate(branch):
        biased = place == 0 and len(W) == d + 1
        weight = W[:d] if biased else W
        linear = nn.Linear(len(weight), weight.shape[1], bias=False, dtype=torch.float64)
        linear.weight = _parameter(weight.T)
        if biased:
            linear.register_parameter("bias", _parameter(W[d]))
        modules.append(linear)
        if place < len(branch) - 1 and activation == "relu":
            modules.append(nn.ReLU())
    return nn.Sequential(*modules)


def _parameter(A: Array) -> nn.Parameter:
    return nn.Parameter(torch.from_numpy(np.array(A, order="C")))


def in_float64(module: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...]:
    """A hook before a forward pass: arrays and tensors of any type become tensors of float64."""
    return tuple(torch.as_tensor(X, dtype=torch.float64) for X in args)
