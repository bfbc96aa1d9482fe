"""Trained networks from files, nothing of which is executed, and into them."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zerogap.model.data import read_npz
from zerogap.model.errors import DataError
from zerogap.model.matrices import Array
from zerogap.trained.layers import Layer, Layers

if TYPE_CHECKING:
    import torch
    from torch import nn

TORCH_FILES = (".pt", ".pth", ".ckpt", ".bin")
# W1, b1, W2 …: one branch; j.l or branches.j.l: layer l of branch j, from 0; (inputs, outputs).
_PLAIN = re.compile(r"^([Wb])([1-9]\d*)$")
_BRANCH = re.compile(r"^(?:branches\.)?(\d+)\.(\d+)$")
# Torch's linear layers, (outputs, inputs). Those of branch j are named …branches.j.….
_TORCH = re.compile(r"^(?:(.*)\.)?(weight|bias)$")
_OF_BRANCH = re.compile(r"^(?:.*\.)?branches\.(\d+)\.")
_NUMBERED = re.compile(r"^(?:.*\.)?(\d+)\.\d+$")
_ACCEPTED = (
    "accepted are W1, b1, W2, …, branch.layer such as 0.1, and the weights and biases of torch's "
    "linear layers"
)


def read_weights(path: Path, activation: str, key: str | None = None) -> Layers:
    """Layers from an .npz file or a torch state_dict (.pt, .pth, .ckpt, .bin), never executed.

    key: where in a checkpoint the state_dict is; not needed where only one value is one. A file
    does not say which activation its network has. Raises DataError with the first name or shape
    that does not fit.
    """
    require_weights_file(path)
    if path.suffix != ".npz":
        arrays, unit = _read_torch(path, key)
    elif key is not None:
        raise DataError(f"{path}: a key is for checkpoints of torch; accepted is none")
    else:
        arrays, unit = read_npz(path), None
    try:
        return Layers(tuple(map(tuple, _branches(arrays))), activation, unit)
    except DataError as error:
        raise DataError(f"{path}: {error}") from None


def write_weights(path: str | Path, module: nn.Module) -> None:
    """The weights of a module under torch's names, as .npz or as a state_dict (.pt, .pth, …).

    What `read_weights` reads. Raises DataError on another suffix.
    """
    path = Path(path)
    require_weights_file(path)
    state = module.state_dict()
    if path.suffix == ".npz":
        np.savez(path, **{name: value.numpy() for name, value in state.items()})
    else:
        import torch

        torch.save(state, path)


def require_weights_file(path: Path) -> None:
    """Raise DataError unless a file of this name may hold weights."""
    if path.suffix not in (".npz", *TORCH_FILES):
        accepted = ", ".join((".npz", *TORCH_FILES))
        raise DataError(f"{path} ends in {path.suffix!r}; accepted are {accepted} files")


def _branches(arrays: Mapping[str, Array]) -> list[list[Layer]]:
    """The layers of every branch, by their names."""
    if not arrays:
        raise DataError(f"there are no weights; {_ACCEPTED}")
    if any(name.endswith("weight") for name in arrays):
        return _of_torch(arrays)
    found: dict[int, dict[int, dict[str, tuple[str, Array]]]] = {}
    for name, value in arrays.items():
        if match := _PLAIN.match(name):
            what, branch, layer = match[1], 0, int(match[2])
        elif match := _BRANCH.match(name):
            what, branch, layer = "W", int(match[1]), int(match[2])
        else:
            raise DataError(f"{name!r} names no layer; {_ACCEPTED}")
        _require(name, value, 2 if what == "W" else 1)
        parts = found.setdefault(branch, {}).setdefault(layer, {})
        if what in parts:
            raise DataError(f"{name} is layer {layer} of branch {branch} once more")
        parts[what] = name, value.astype(np.float64)
    return [
        [_layer(parts, f"layer {layer}") for layer, parts in sorted(layers.items())]
        for _, layers in sorted(found.items())
    ]


def _of_torch(arrays: Mapping[str, Array]) -> list[list[Layer]]:
    """The linear layers of a state_dict, in its order; a bias without weights is the outputs'."""
    parts: dict[str, dict[str, tuple[str, Array]]] = {}
    for name, value in arrays.items():
        match = _TORCH.match(name)
        if match is None:
            raise DataError(f"{name!r} names no layer; {_ACCEPTED}")
        weight = match[2] == "weight"
        _require(name, value, 2 if weight else 1)
        value = value.astype(np.float64)
        owner = parts.setdefault(match[1] or "", {})
        owner["W" if weight else "b"] = (name, value.T if weight else value)
    shared = [owner for owner, part in parts.items() if "W" not in part]
    last = parts.pop(shared[0])["b"] if len(shared) == 1 else None
    layers = {owner: _layer(part, owner) for owner, part in parts.items()}
    branches = _grouped(layers)
    if last is not None:
        name, bias = last
        final = branches[-1][-1]
        if final.b is not None or bias.shape != (final.W.shape[1],):
            raise DataError(f"{name} has shape {bias.shape} and no layer; {_ACCEPTED}")
        branches[-1][-1] = Layer(final.W, bias, final.name, name)
    return branches


def _grouped(layers: Mapping[str, Layer]) -> list[list[Layer]]:
    """Branches by their names where these say so, else one if the layers fit one another."""
    ordered = list(layers.values())
    fits = all(a.W.shape[1] == b.W.shape[0] for a, b in pairwise(ordered))
    explicit = [_OF_BRANCH.match(layer.name) for layer in ordered]
    numbered = [_NUMBERED.match(owner) for owner in layers]
    matches = explicit if all(explicit) else ([] if fits else numbered)
    if not matches or not all(matches):
        return [ordered]
    groups: dict[str, list[Layer]] = {}
    for match, layer in zip(matches, ordered, strict=True):
        assert match is not None
        groups.setdefault(match[1], []).append(layer)
    return list(groups.values())


def _layer(parts: Mapping[str, tuple[str, Array]], what: str) -> Layer:
    if "W" not in parts:
        raise DataError(f"{what} has a bias and no weights; {_ACCEPTED}")
    name, W = parts["W"]
    bias_name, b = parts.get("b", ("", None))
    if b is not None and b.shape != (W.shape[1],):
        raise DataError(f"{bias_name} has shape {b.shape}; accepted is ({W.shape[1]},)")
    return Layer(W, b, name, bias_name)


def _require(name: str, value: Array, dimensions: int) -> None:
    if value.ndim != dimensions or value.dtype.kind not in "fiu":
        wanted = "a matrix" if dimensions == 2 else "a vector"
        raise DataError(
            f"{name} has shape {value.shape} and type {value.dtype}; accepted is {wanted} of real "
            f"numbers; {_ACCEPTED}"
        )


def _read_torch(path: Path, key: str | None) -> tuple[dict[str, Array], float | None]:
    """The arrays of a state_dict, and the rounding of their type where it is not float64."""
    import torch

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            loaded = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch's reader raises anything on bytes that are not its own
        reason = str(error).split("\n", 1)[0][:200]
        raise DataError(f"{path} is not a plain state_dict: {reason}") from None
    state = _state(path, loaded, key)
    units = [torch.finfo(v.dtype).eps / 2 for v in state.values() if v.is_floating_point()]
    unit = max(units, default=0.0)
    arrays = {
        name: (value.double() if value.is_floating_point() else value).numpy()
        for name, value in state.items()
    }
    return arrays, unit if unit > 2.0**-53 else None


def _state(path: Path, loaded: Any, key: str | None) -> Mapping[str, torch.Tensor]:
    """The state_dict, or the one in a checkpoint under a key."""
    if not isinstance(loaded, Mapping):
        raise DataError(f"{path} is not a state_dict; accepted are names with tensors")
    if key is None and _is_state(loaded):
        return loaded
    states = [name for name, value in loaded.items() if isinstance(name, str) and _is_state(value)]
    if key is None and len(states) == 1:
        key = states[0]
    if key in states:
        chosen: Mapping[str, torch.Tensor] = loaded[key]
        return chosen
    said = f"has no state_dict under {key!r}" if key else "is not a state_dict"
    held = ", ".join(map(str, states)) or "none"
    raise DataError(f"{path} {said}; those in it: {held}; choose one with --key")


def _is_state(value: Any) -> bool:
    import torch

    return (
        isinstance(value, Mapping)
        and bool(value)
        and all(isinstance(n, str) and isinstance(v, torch.Tensor) for n, v in value.items())
    )
