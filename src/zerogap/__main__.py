"""python -m zerogap: the command line."""

import sys

from zerogap.cli import main

sys.exit(main())
