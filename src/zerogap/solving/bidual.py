"""The bidual of a problem: a bracket of its dual value, as one thing to keep, write and read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from zerogap.model.bounds import relative
from zerogap.model.network import Network
from zerogap.solving.evidence import Evidence, evidence_of


@dataclass(frozen=True, eq=False)
class Bidual:
    """A bracket of the dual value of a problem, in total values (theory §1).

    lower: proved by `evidence`. upper: the value of `network`, a parallel network of the
    problem's depth; inf where none was found. method: what produced them. methods: what happened
    to every method that was asked, in order: "used", or why it was passed over. failures: what
    went wrong with more exact methods, if anything.
    """

    lower: float
    upper: float
    evidence: Evidence
    network: Network | None
    method: str
    methods: tuple[tuple[str, str], ...] = ()
    failures: tuple[str, ...] = ()

    @property
    def closed(self) -> bool:
        """Whether both ends agree to 1e-6 relative, so that the dual value is known."""
        return relative(self.upper - self.lower, self.upper) <= 1e-6

    def record(self) -> dict[str, Any]:
        """Nested dicts and lists of arrays, numbers and strings."""
        network = self.network and self.network.record()
        return {**vars(self), "evidence": self.evidence.record(), "network": network}

    @classmethod
    def of(cls, record: dict[str, Any]) -> Bidual:
        """The bidual of a record."""
        network = record["network"] and Network.of(record["network"])
        evidence = evidence_of(record["evidence"])
        methods = tuple((name, happened) for name, happened in record["methods"])
        parts = {"network": network, "evidence": evidence, "methods": methods}
        return cls(**record | parts | {"failures": tuple(record["failures"])})
