"""Torch modules for networks (the only module, with training, that imports torch)."""

from typing import cast

import numpy as np
import torch
from torch import nn

from zerogap.model.network import Network


class BranchedNetwork(nn.Module):
    """f(X) = Σ_j φ(…φ(X W_{1,j})…) W_{L,j} in float64; parameters are named `branch.layer`.

    With biases as in `Network`: the last row of W₁, and `bias` of the outputs.
    """

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.activation = network.activation
        self.branches = nn.ModuleList(
            nn.ParameterList(nn.Parameter(torch.from_numpy(np.array(W))) for W in branch)
            for branch in network.branches
        )
        bias = network.bias
        self.bias = None if bias is None else nn.Parameter(torch.from_numpy(np.array(bias)))

    def layers(self) -> list[list[torch.Tensor]]:
        """The weights, branch by branch and layer by layer."""
        return [list(cast(nn.ParameterList, branch)) for branch in self.branches]

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """Outputs (n, k) for inputs (n, d)."""
        if len(self.layers()[0][0]) == X.shape[1] + 1:
            X = torch.cat([X, torch.ones_like(X[:, :1])], 1)
        total = torch.zeros((), dtype=X.dtype) if self.bias is None else self.bias
        for *inner, last in self.layers():
            A = X
            for W in inner:
                A = A @ W
                if self.activation == "relu":
                    A = torch.relu(A)
            total = total + A @ last
        return total

    def network(self) -> Network:
        """The current weights as a Network."""
        return Network(
            tuple(tuple(W.detach().numpy().copy() for W in branch) for branch in self.layers()),
            self.activation,
            None if self.bias is None else self.bias.detach().numpy().copy(),
        )
