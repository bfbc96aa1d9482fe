"""Trained networks from files, nothing of which is executed."""

import re
import warnings
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from zerogap.model.data import read_npz
from zerogap.model.errors import DataError
from zerogap.model.matrices import Array
from zerogap.model.network import Network

# W1, W2 …: one branch; j.l or branches.j.l: layer l of branch j, from 0. Both (inputs, outputs).
_LAYER = re.compile(r"^W([1-9]\d*)$")
_BRANCH = re.compile(r"^(?:branches\.)?(\d+)\.(\d+)$")
# Torch's linear layers, (outputs, inputs): …j.l.weight for branch j, else in the file's order.
_TORCH = re.compile(r"^(?:.*\.)?(\d+)\.(\d+)\.weight$")


def read_weights(path: Path, activation: str) -> Network:
    """A network from an .npz file or a torch state_dict (.pt, .pth), nothing of which is executed.

    Raises DataError with the first name or shape that does not fit, and on biases.
    """
    if path.suffix == ".npz":
        arrays = read_npz(path)
    elif path.suffix in (".pt", ".pth"):
        arrays = _read_torch(path)
    else:
        raise DataError(f"{path} ends in {path.suffix!r}; accepted are .npz, .pt and .pth files")
    branches: dict[int, dict[int, Array]] = {}
    for order, (name, value) in enumerate(arrays.items()):
        if name.split(".")[-1].startswith("bias"):
            if np.any(value):
                raise DataError(f"{path}: {name} is not zero; networks here have no biases")
            continue
        if value.ndim != 2 or value.dtype.kind not in "fiu" or not np.isfinite(value).all():
            raise DataError(
                f"{path}: {name} has shape {value.shape} and type {value.dtype}; accepted are "
                "matrices of finite numbers"
            )
        branch, layer, W = _place(path, name, order, value.astype(np.float64))
        if layer in branches.setdefault(branch, {}):
            raise DataError(f"{path}: {name} is layer {layer} of branch {branch} once more")
        branches[branch][layer] = W
    if not branches:
        raise DataError(f"{path} holds no weights; accepted are W1, W2, … or layers of torch")
    ordered = tuple(
        tuple(layers[layer] for layer in sorted(layers)) for _, layers in sorted(branches.items())
    )
    depths = {len(branch) for branch in ordered}
    if len(depths) > 1 or min(depths) < 2:
        raise DataError(
            f"{path} has branches of {', '.join(map(str, sorted(depths)))} layers; accepted are "
            "branches of equally many, at least 2"
        )
    return Network(ordered, activation)


def _place(path: Path, name: str, order: int, value: Array) -> tuple[int, int, Array]:
    if found := _LAYER.match(name):
        return 0, int(found[1]), value
    if found := _BRANCH.match(name):
        return int(found[1]), int(found[2]), value
    if found := _TORCH.match(name):
        return int(found[1]), int(found[2]), value.T
    if name == "weight" or name.endswith(".weight"):
        return 0, order, value.T
    raise DataError(
        f"{path}: {name!r} names no layer; accepted are W1, W2, …, branch.layer such as 0.1, "
        "and the weights of torch's linear layers"
    )


def _read_torch(path: Path) -> dict[str, Array]:
    import torch

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            loaded = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch's reader raises anything on bytes that are not its own
        reason = str(error).split("\n", 1)[0][:200]
        raise DataError(f"{path} is not a plain state_dict: {reason}") from None
    if not isinstance(loaded, Mapping) or not all(
        isinstance(name, str) and isinstance(value, torch.Tensor) for name, value in loaded.items()
    ):
        raise DataError(f"{path} is not a state_dict; accepted are names with tensors")
    return {name: value.numpy() for name, value in loaded.items()}
