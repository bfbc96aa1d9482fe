"""What every kind of evidence can do, and the registry of kinds."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Self

from zerogap.model.matrices import Array

# Every kind by the name under which certificates store it; a class with a name registers itself.
KINDS: dict[str, type[Evidence]] = {}


@dataclass(frozen=True, eq=False)
class Evidence(ABC):
    """What a certificate holds to prove its lower bound; the fields, in order, are those stored."""

    kind: ClassVar[str]

    def __init_subclass__(cls, kind: str = "") -> None:
        if kind:
            cls.kind, KINDS[kind] = kind, cls

    @abstractmethod
    def __mul__(self, factor: float) -> Self:
        """Evidence for factor·Λ, factor > 0: all that proves c(Λ) scales along."""

    @abstractmethod
    def stretched(self, size: float) -> Self:
        """Evidence for the same Λ on size·X, size > 0, where c(Λ) is size times as large."""

    def record(self) -> dict[str, Any]:
        """Nested dicts and lists of arrays and numbers, for certificates and batch files."""
        stored = {field.name: _stored(getattr(self, field.name)) for field in fields(self)}
        return {"kind": self.kind, **{k: v for k, v in stored.items() if v is not None}}

    @classmethod
    def of(cls, stored: dict[str, Any]) -> Self:
        """The evidence of a record without its `kind`."""
        return cls(**stored)


class Proof(Evidence):
    """Evidence that c(Λ) of one Λ is small.

    Unless a kind says otherwise, the fields that `proportional` names are so to Λ, and the others
    depend neither on its length nor on the size of X.
    """

    multipliers: Array
    proportional: ClassVar[tuple[str, ...]] = ("multipliers",)

    @property
    def Lambda(self) -> Array:
        """Λ (n, k)."""
        return self.multipliers

    def __mul__(self, factor: float) -> Self:
        return replace(self, **{name: getattr(self, name) * factor for name in self.proportional})

    def stretched(self, size: float) -> Self:
        return self


def evidence_of(record: Mapping[str, Any]) -> Evidence:
    """The evidence of a record, of any registered kind."""
    stored = dict(record)
    return KINDS[stored.pop("kind")].of(stored)


def _stored(value: Any) -> Any:
    if isinstance(value, Evidence):
        return value.record()
    return [_stored(entry) for entry in value] if isinstance(value, tuple) else value
