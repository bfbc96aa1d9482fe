"""Networks as scikit-learn estimators, fitted by convex programs, with a proof on request."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, clone
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from zerogap.model.matrices import Array
from zerogap.model.network import Network
from zerogap.model.problem import Problem
from zerogap.solving.audit import Audit, audit
from zerogap.solving.fitted import fitted

if TYPE_CHECKING:
    from torch import nn


class _Estimator(BaseEstimator):
    """min ℓ(f(X), Y) + beta ½Σ‖W‖² over networks of any width (theory §3, §10).

    beta: a positive number, for a loss that is summed over samples. depth: L ≥ 2; deeper ReLU
    networks are copies of two-layer ones. bias: "decayed", regularised like the weights, or "none".
    seconds: what the proof may take, None for as long as it needs.

    After `fit`: network_, module_ (it in torch), n_neurons_, objective_. The proof is made when one
    of its parts is first asked for: audit_, lower_bound_ of any network's objective, gap_ =
    (objective_ − lower_bound_) / objective_, and certificate_, which `zerogap.verify` checks.
    """

    network_: Network
    _activation: ClassVar[str]
    _problem: Problem

    def __init__(
        self,
        beta: float = 1.0,
        depth: int = 2,
        bias: str = "decayed",
        loss: str = "squared",
        seconds: float | None = 60.0,
    ) -> None:
        self.beta, self.depth, self.bias = beta, depth, bias
        self.loss, self.seconds = loss, seconds

    def _fit(self, X: Array, Y: Array, loss: str) -> Self:
        self.__dict__.pop("audit_", None)
        self._problem = Problem(
            X, Y, activation=self._activation, architecture="standard",
            depth=self.depth, beta=self.beta, bias=self.bias, loss=loss,
        )  # fmt: skip
        self.network_ = fitted(self._problem)
        self.n_neurons_ = self.network_.width
        self.objective_ = self.network_.objective(self._problem)
        return self

    def path(self, X: Any, y: Any, betas: Iterable[float]) -> Iterator[Self]:
        """This estimator, fitted to X and y at one beta after another."""
        for beta in betas:
            yield clone(self).set_params(beta=beta).fit(X, y)

    @property
    def module_(self) -> nn.Module:
        """The network as a torch module in float64."""
        from zerogap.model.module import as_module

        check_is_fitted(self, "network_")
        return as_module(self.network_, self._problem.d)

    @cached_property
    def audit_(self) -> Audit:
        """The proof of how far the network is from the best."""
        check_is_fitted(self, "network_")
        return audit(self._problem, self.network_, gap=1e-3, seconds=self.seconds)

    @property
    def lower_bound_(self) -> float:
        """A proved lower bound on the objective of every network."""
        return self.audit_.lower

    @property
    def gap_(self) -> float:
        """How far above the optimum the objective is at most, as a share of it."""
        return self.audit_.relative_gap

    @property
    def certificate_(self) -> dict[str, Any]:
        """The proof, for `zerogap.verify`."""
        return self.audit_.certificate

    def _outputs(self, X: Any) -> Array:
        check_is_fitted(self, "network_")
        X = validate_data(self, X, reset=False, dtype=np.float64)
        return self.network_.outputs(X)


class _Regressor(RegressorMixin, _Estimator):  # type: ignore[misc]
    """Regression. loss: "squared" (½‖f − y‖²), "huber:δ" or "quantile:q"."""

    def fit(self, X: Any, y: Any) -> Self:
        """Fit to X (n, d) and y (n,) or (n, k)."""
        X, y = validate_data(self, X, y, dtype=np.float64, multi_output=True, y_numeric=True)
        self._vector = y.ndim == 1
        return self._fit(X, y.astype(np.float64), self.loss)

    def predict(self, X: Any) -> Array:
        """f(X), (n,) or (n, k)."""
        F = self._outputs(X)
        return F[:, 0] if self._vector else F

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


class _Classifier(ClassifierMixin, _Estimator):  # type: ignore[misc]
    """Classification: of two classes by one output, else one output for each.

    loss: "logistic" or "hinge" for two classes; of more classes it is always cross-entropy.
    """

    def __init__(
        self,
        beta: float = 1.0,
        depth: int = 2,
        bias: str = "decayed",
        loss: str = "logistic",
        seconds: float | None = 60.0,
    ) -> None:
        super().__init__(beta, depth, bias, loss, seconds)

    def fit(self, X: Any, y: Any) -> Self:
        """Fit to X (n, d) and classes y (n,)."""
        X, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        self.classes_, index = np.unique(y, return_inverse=True)
        count = len(self.classes_)
        if count < 2:
            raise ValueError(
                f"y has one class only ({self.classes_[0]}); accepted are at least two"
            )
        if count == 2:
            return self._fit(X, 2.0 * index - 1, self.loss)
        return self._fit(X, np.eye(count)[index], "cross-entropy")

    def decision_function(self, X: Any) -> Array:
        """The outputs: (n,) for two classes, else (n, classes)."""
        F = self._outputs(X)
        return F[:, 0] if len(self.classes_) == 2 else F

    def predict(self, X: Any) -> Array:
        """The class of the largest output."""
        F = self.decision_function(X)
        return self.classes_[(F > 0).astype(int) if F.ndim == 1 else F.argmax(axis=1)]

    def predict_proba(self, X: Any) -> Array:
        """The probabilities (n, classes) that the loss is the likelihood of."""
        F = self.decision_function(X)
        if F.ndim == 1:
            F = np.stack([-F / 2, F / 2], axis=1)
        shares = np.exp(F - F.max(axis=1, keepdims=True))
        return shares / shares.sum(axis=1, keepdims=True)


class ReLURegressor(_Regressor):
    """Regression by ReLU networks."""

    _activation = "relu"


class ReLUClassifier(_Classifier):
    """Classification by ReLU networks."""

    _activation = "relu"


class LinearRegressor(_Regressor):
    """Regression by linear networks: nuclear norms at two layers, less at more (theory §2)."""

    _activation = "linear"


class LinearClassifier(_Classifier):
    """Classification by linear networks."""

    _activation = "linear"
