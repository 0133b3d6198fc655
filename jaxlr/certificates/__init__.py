"""How far from the optimum an answer can be: a proved bound, for anybody's answer."""

from jaxlr.certificates.anyone import Certificate, certify
from jaxlr.certificates.estimator import of_estimator
from jaxlr.solvers.status import Status

__all__ = ["Certificate", "Status", "certify", "of_estimator"]


def __dir__() -> list[str]:
    return __all__
