"""The penalised linear problem, said once: its loss, rows, folds, objective and intercepts."""

from jaxlr.glm.losses import Loss, loss

__all__ = ["Loss", "loss"]


def __dir__() -> list[str]:
    return __all__
