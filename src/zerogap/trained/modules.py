"""Torch modules read by tracing their forward pass: Linear layers, ReLU, sums of branches."""

from __future__ import annotations

import copy
import operator
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import fx, nn
from torch.nn import functional as F

from zerogap.model.errors import DataError
from zerogap.model.fit import Fit
from zerogap.model.losses import loss_of
from zerogap.model.matrices import Array
from zerogap.trained.layers import Layer, Layers
from zerogap.trained.objective import Criterion, Decay

_RELU = {torch.relu, F.relu, torch.relu_, "relu", "relu_"}
_ADD = {operator.add, operator.iadd, torch.add, "add", "add_"}
_PRODUCT = {operator.matmul, torch.matmul, torch.mm, "matmul", "mm"}
# What changes nothing but the shape of one output.
_SHAPE = {torch.squeeze, torch.flatten, torch.ravel, "squeeze", "flatten", "view", "reshape"}
_SHAPE |= {"ravel", "contiguous", "clone", "float", "double", "to"}
# How far the two objectives may be apart, relative: both are computed in float64.
_AGREE = 1e-9
_ACCEPTED = "accepted are Linear and ReLU layers, sums of branches of them, and fixed scalers"


@dataclass(frozen=True, eq=False)
class Reading:
    """What a module computes: layers on `inputs` (n, d), which `before` makes of the data."""

    layers: Layers
    inputs: Array
    before: nn.Module | None
    model: nn.Module
    outputs: torch.Tensor

    def require_objective(
        self, loss: str | nn.Module, given: Any, criterion: Criterion, Y: Array, decay: Decay
    ) -> None:
        """Raise DataError unless torch's own objective is the one that the layers give.

        given: targets as torch's loss takes them, Y (n, k): as the theory does. Both objectives are
        in float64, torch's by the model's own forward pass.
        """
        network, _ = self.layers.merged()
        fit = Fit(Y, loss_of(criterion.loss))
        ours = criterion.scale(Y) * fit.value(network.outputs(self.inputs))
        if isinstance(loss, str):
            own = criterion.scale(Y) * fit.value(self.outputs.numpy().reshape(Y.shape))
        else:
            own = _loss(loss, self.outputs, given)
        parameters = dict(self.model.named_parameters())
        for layer in self.layers.all:
            for name, value in ((layer.name, layer.W), (layer.bias_name, layer.b)):
                if value is not None:
                    half = 0.5 * decay.rates[name]
                    ours += half * float(np.sum(value**2))
                    own += half * float((parameters[name].detach() ** 2).sum())
        if not abs(own - ours) <= _AGREE * max(abs(own), abs(ours)):
            raise DataError(
                f"the objective by the model's own forward pass is {own:.9g}, by the layers read "
                f"{ours:.9g}; accepted are models for which they agree"
            )


@dataclass(frozen=True)
class _Parameter:
    name: str
    value: torch.Tensor


@dataclass(frozen=True)
class _Chain:
    """Affine layers, one after another, from a node of the graph that no parameter touches."""

    source: fx.Node
    layers: tuple[Layer, ...] = ()
    rectified: tuple[bool, ...] = ()


# A value in the forward pass: chains that are summed. Others are plain tensors and numbers.
_Sum = tuple[_Chain, ...]


def _loss(loss: nn.Module, outputs: torch.Tensor, given: Any) -> float:
    """Torch's loss of outputs, targets in the shape that it takes."""
    targets = torch.as_tensor(given).detach().cpu()
    if isinstance(loss, nn.CrossEntropyLoss) and targets.shape != outputs.shape:
        targets = targets.reshape(-1).long()
    else:
        targets = targets.double().reshape(outputs.shape)
    return float(loss(outputs, targets))


def read_module(model: nn.Module, X: Array) -> Reading:
    """The layers of a module whose forward pass is affine maps and ReLU; nothing is guessed.

    Raises DataError that names the first layer or operation that is something else.
    """
    if not isinstance(model, nn.Module):
        raise DataError(f"model is a {type(model).__name__}; accepted is a torch.nn.Module")
    unit = max((torch.finfo(p.dtype).eps / 2 for p in model.parameters()), default=0.0)
    for name, value in model.named_parameters():
        if not torch.isfinite(value).all():
            wrong = value[~torch.isfinite(value)][0]
            raise DataError(f"{name} holds {wrong:g}; accepted are finite numbers")
    # Every number of a smaller type is one of float64.
    model = copy.deepcopy(model).cpu().double()
    data = torch.from_numpy(np.array(X))
    try:
        with torch.no_grad():
            outputs = model(data)
    except Exception as error:
        raise DataError(
            f"the model does not take X of shape {tuple(data.shape)}: {_line(error)}"
        ) from None
    try:
        traced = fx.symbolic_trace(model)
    except Exception as error:  # whatever a forward pass may do with what is not a tensor
        raise DataError(
            f"the forward pass cannot be traced ({_line(error)}); {_ACCEPTED}"
        ) from None
    with torch.no_grad():
        read = _Tracer(traced, data).read()
    layers = replace(read.layers, unit=unit if unit > 2.0**-53 else None)
    return replace(read, layers=layers, model=model, outputs=outputs)


class _Tracer:
    """Walks the graph once; what no parameter touches is computed, the rest becomes layers."""

    def __init__(self, traced: fx.GraphModule, X: torch.Tensor) -> None:
        self.traced, self.X = traced, X
        self.modules = dict(traced.named_modules())
        self.values: dict[fx.Node, Any] = {}
        self.used: set[str] = set()

    def read(self) -> Reading:
        for node in self.traced.graph.nodes:
            if node.op == "output":
                return self.reading(self.value(node.args[0]), node)
            self.values[node] = self.step(node)
        raise DataError(f"the forward pass returns nothing; {_ACCEPTED}")

    def reading(self, result: Any, node: fx.Node) -> Reading:
        if not isinstance(result, tuple) or not all(isinstance(c, _Chain) for c in result):
            raise DataError(f"the forward pass returns no single network output; {_ACCEPTED}")
        sources = {chain.source for chain in result}
        if len(sources) > 1:
            raise DataError("branches start from different inputs; accepted is one for all")
        activations = set()
        for chain in result:
            if chain.rectified[-1]:
                name = chain.layers[-1].name
                raise DataError(f"ReLU follows the last layer, {name}; accepted are affine outputs")
            activations |= set(chain.rectified[:-1])
        if len(activations) > 1:
            chain = next(c for c in result if not all(c.rectified[:-1]))
            name = chain.layers[chain.rectified.index(False)].name
            raise DataError(f"no ReLU follows {name}; accepted is one between all layers, or none")
        activation = "relu" if activations == {True} else "linear"
        source = sources.pop()
        inputs = self.values[source]
        if inputs.ndim != 2:
            raise DataError(
                f"the first layer takes shape {tuple(inputs.shape)}; accepted is (n, d)"
            )
        layers = Layers(tuple(chain.layers for chain in result), activation)
        return Reading(layers, inputs.detach().numpy(), self.before(source), self.traced, inputs)

    def before(self, source: fx.Node) -> nn.Module | None:
        """What turns data into the inputs of the first layer; None if nothing does."""
        if source.op == "placeholder":
            return None
        graph = fx.Graph()
        copied: dict[fx.Node, fx.Node] = {}
        for node in self.traced.graph.nodes:
            copied[node] = graph.node_copy(node, lambda old: copied[old])
            if node is source:
                break
        graph.output(copied[source])
        graph.eliminate_dead_code()
        return fx.GraphModule(self.traced, graph)

    def value(self, argument: Any) -> Any:
        return fx.node.map_arg(argument, lambda node: self.values[node])

    def step(self, node: fx.Node) -> Any:
        """The value of a node."""
        if node.op == "placeholder":
            if self.values:
                raise DataError(f"the forward pass takes {node.target!r} as well; accepted is X")
            return self.X
        if node.op == "get_attr":
            return self.attribute(str(node.target))
        args, named = self.value(node.args), self.value(dict(node.kwargs))
        if node.op == "call_module":
            return self.module(node, str(node.target), self.modules[str(node.target)], args)
        trained = [a for a in (*args, *named.values()) if _trained(a)]
        call = node.target
        if not trained:
            return self.computed(node, args, named)
        if call in _RELU:
            return self.relu(args[0], str(call))
        if call is F.linear:
            weight, bias = _linear(*args[1:], **named)
            if isinstance(weight, _Parameter) and (bias is None or isinstance(bias, _Parameter)):
                W = weight.value.T
                return self.affine(args[0], node.args[0], weight.name, W, bias)
        if call in _PRODUCT and isinstance(args[1], _Parameter):
            return self.affine(args[0], node.args[0], args[1].name, args[1].value, None)
        if call in _ADD and not named:
            return self.sum(*args[:2])
        if call is F.dropout and not named.get("training", True):
            return args[0]
        if call in _SHAPE and isinstance(args[0], tuple):
            return args[0]
        raise DataError(f"the forward pass uses {_called(call)}; {_ACCEPTED}")

    def attribute(self, name: str) -> Any:
        owner, _, last = name.rpartition(".")
        value = getattr(self.traced.get_submodule(owner), last)
        return _Parameter(name, value) if isinstance(value, nn.Parameter) else value

    def computed(self, node: fx.Node, args: Any, named: Any) -> Any:
        """What no parameter touches."""
        call: Callable[..., Any]
        if node.op == "call_method":
            return getattr(args[0], str(node.target))(*args[1:], **named)
        call = node.target  # type: ignore[assignment]
        return call(*args, **named)

    def module(self, node: fx.Node, name: str, module: nn.Module, args: Any) -> Any:
        """The value of a layer of torch."""
        fixed = isinstance(module, nn.Identity)
        if isinstance(module, nn.Dropout):
            if module.training and module.p > 0:
                raise DataError(f"{name} is Dropout in training mode; call model.eval() before")
            fixed = True
        if fixed or (isinstance(module, nn.Flatten) and isinstance(args[0], tuple)):
            return args[0]
        if isinstance(module, nn.ReLU):
            return self.relu(args[0], name)
        if type(module) is nn.Linear:
            bias = None if module.bias is None else _Parameter(f"{name}.bias", module.bias)
            weight = f"{name}.weight"
            return self.affine(args[0], node.args[0], weight, module.weight.T, bias)
        if isinstance(module, nn.modules.batchnorm._NormBase) and module.training:
            kind = type(module).__name__
            raise DataError(f"{name} is {kind} in training mode; call model.eval() before")
        if not _trained(args[0]) and not any(True for _ in module.parameters()):
            return module(*args)
        raise DataError(f"{name} is a {type(module).__name__}; {_ACCEPTED}")

    def relu(self, value: Any, name: str) -> Any:
        if not _trained(value):
            return torch.relu(value)
        if not isinstance(value, tuple) or len(value) > 1:
            raise DataError(f"{name} rectifies a sum of branches; {_ACCEPTED}")
        (chain,) = value
        return (replace(chain, rectified=(*chain.rectified[:-1], True)),)

    def affine(
        self, value: Any, node: Any, name: str, W: torch.Tensor, bias: _Parameter | None
    ) -> _Sum:
        """One more layer W (inputs, outputs)."""
        for parameter in (name, *([bias.name] if bias else [])):
            if parameter in self.used:
                raise DataError(f"{parameter} is used twice; accepted are layers of their own")
            self.used.add(parameter)
        b = None if bias is None else _array(bias.value)
        layer = Layer(_array(W), b, name, bias.name if bias else "")
        if not _trained(value):
            return (_Chain(node, (layer,), (False,)),)
        if not isinstance(value, tuple) or len(value) > 1:
            raise DataError(f"{name} takes a sum of branches; {_ACCEPTED}")
        (chain,) = value
        return (_Chain(chain.source, (*chain.layers, layer), (*chain.rectified, False)),)

    def sum(self, one: Any, other: Any) -> _Sum:
        """Branches added, or a bias to the layer before it."""
        if isinstance(one, _Parameter):
            one, other = other, one
        if isinstance(one, tuple) and isinstance(other, tuple):
            return (*one, *other)
        if isinstance(one, tuple) and len(one) == 1 and isinstance(other, _Parameter):
            (chain,) = one
            *before, last = chain.layers
            if last.b is None and not chain.rectified[-1] and other.name not in self.used:
                self.used.add(other.name)
                last = replace(last, b=_array(other.value).reshape(-1), bias_name=other.name)
                return (replace(chain, layers=(*before, last)),)
        # 0 + a + b, as the sum of a list is.
        if isinstance(other, tuple) and isinstance(one, int | float) and one == 0:
            return other
        if isinstance(one, tuple) and isinstance(other, int | float) and other == 0:
            return one
        raise DataError(f"the forward pass adds what is no branch to one; {_ACCEPTED}")


def _linear(weight: Any, bias: Any = None) -> tuple[Any, Any]:
    """The parameters of torch's functional layer, by position or by name."""
    return weight, bias


def _line(error: Exception) -> str:
    return str(error).split("\n", 1)[0][:120]


def _trained(value: Any) -> bool:
    return isinstance(value, _Parameter) or (
        isinstance(value, tuple) and bool(value) and isinstance(value[0], _Chain)
    )


def _array(value: torch.Tensor) -> Array:
    return np.ascontiguousarray(value.detach().numpy())


def _called(call: Any) -> str:
    return repr(call if isinstance(call, str) else getattr(call, "__name__", str(call)))
