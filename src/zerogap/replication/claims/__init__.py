"""The registry: every claim of the paper, the problems that test it, and the verdict expected.

Table 1, the scoreboard, figures, configuration checks and the DAG are derived from it. To add a
claim, add an entry to a module here and, for a new module, its name below; to add a family of
problems, add a case.
"""

import hashlib
import json
from dataclasses import asdict
from typing import Any

from zerogap.model.errors import ConfigError
from zerogap.replication.claims import (
    branches,
    linear,
    real_data,
    relu_parallel,
    relu_standard,
    two_layer,
)
from zerogap.replication.claims.registry import Claim, Setting, expand, own_data
from zerogap.replication.rows import Instance

CLAIMS: tuple[Claim, ...] = (
    *two_layer.CLAIMS,
    *linear.CLAIMS,
    *relu_parallel.CLAIMS,
    *relu_standard.CLAIMS,
    *branches.CLAIMS,
    *real_data.CLAIMS,
)


def claim(identifier: str) -> Claim:
    """The claim of that id. Raises ConfigError naming the accepted ids."""
    for entry in CLAIMS:
        if entry.id == identifier:
            return entry
    raise ConfigError(
        f"claim {identifier!r} is unknown; accepted are {', '.join(c.id for c in CLAIMS)}"
    )


def setting(identifier: str) -> Setting:
    """The setting of that id. Raises ConfigError naming the accepted ids."""
    found = {s.id: s for c in CLAIMS for s in c.settings}
    if identifier not in found:
        raise ConfigError(f"setting {identifier!r} is unknown; accepted are {', '.join(found)}")
    return found[identifier]


def instances(setting_id: str, options: dict[str, Any] | None = None) -> list[Instance]:
    """The problems of a setting, in a fixed order.

    options: {"replicates": int, "restarts": int, "cases": [labels]} override the registry (None:
    keep); {"file": {…}} describes a user's own data for a setting named file-<id>.
    """
    options = options or {}
    if "file" in options:
        return list(own_data(setting_id, options))
    chosen = setting(setting_id)
    owner = next(c.id for c in CLAIMS if chosen in c.settings)
    labels = options.get("cases")
    known = [case.label for case in chosen.cases]
    for label in labels or ():
        if label not in known:
            raise ConfigError(
                f"setting {setting_id!r} has no case {label!r}; it has {', '.join(known)}"
            )
    replicates = options.get("replicates") or chosen.replicates
    restarts = chosen.restarts and (options.get("restarts") or chosen.restarts)
    return [
        instance
        for case in chosen.cases
        if labels is None or case.label in labels
        for instance in expand(owner, chosen, case, replicates, restarts)
    ]


def batch(
    setting_id: str, options: dict[str, Any], number: int, size: int
) -> tuple[list[Instance], str]:
    """The problems of one batch of a setting, and the digest of all that is said of them here.

    A stage that makes a batch depends on the digest, not on the files of the registry: a changed
    case changes it, a reworded statement does not.
    """
    chosen = instances(setting_id, options)[number * size : (number + 1) * size]
    return chosen, digest_of(chosen)


def digest_of(chosen: list[Instance]) -> str:
    """The digest of some problems as the registry has them."""
    text = json.dumps([asdict(instance) for instance in chosen], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
