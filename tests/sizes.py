"""How many random cases: few in `pytest`, many in `pytest --proofs`; and float64's sizes."""

import numpy as np
from hypothesis import settings

PROOFS = settings.default.max_examples > 1_000

# What tests marked `float64` have in every run.
DTYPE = np.dtype("float64")
EPS = float(np.finfo(DTYPE).eps)
