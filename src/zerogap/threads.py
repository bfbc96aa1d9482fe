"""Imported first by the command line: one thread for linear algebra, unless told otherwise.

Matrices here have a few hundred rows. Threads of OpenBLAS that wait for one another on busy cores
took forty times as long as one of them alone. Libraries read these variables when they load.
"""

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
