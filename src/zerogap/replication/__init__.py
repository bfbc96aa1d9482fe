"""The replication of the paper."""

import sys

# jsonschema builds a grammar of international addresses when it loads and finds this package: a
# second of every start. No schema here has addresses, and None stands for what is not installed.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
