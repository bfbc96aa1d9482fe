"""The checker's verdict on every certificate of a batch."""

from pathlib import Path

from zerogap.replication.proofs import proved
from zerogap.replication.records import write_json
from zerogap.replication.rows import Proved


def run(certificates: Path, tolerance: float, output: Path) -> int:
    """Re-prove every certificate of a file without torch, cvxpy or any solver."""
    verdicts = [
        vars(
            Proved(
                **certificate["id"],
                accepted=verdict.accepted,
                reason=verdict.reason,
                primal=verdict.primal,
                dual=verdict.dual,
                primal_lower=verdict.primal_lower,
                dual_upper=verdict.dual_upper,
                deeper_upper=verdict.deeper_upper,
                status=verdict.status,
                epsilon=verdict.epsilon,
                problem=verdict.problem,
            )
        )
        for certificate, verdict in proved(certificates, tolerance)
    ]
    write_json(output, verdicts, "verify")
    return len(verdicts)
