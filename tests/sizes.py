"""How many random cases: few in `pytest`, many in `pytest --proofs`."""

from hypothesis import settings

PROOFS = settings.default.max_examples > 1_000
