"""What rows weigh by their class: scikit-learn's `class_weight`, as weights of rows."""

from collections.abc import Sequence

import numpy as np

from experiments.kit.mistakes import SettingError

BALANCED = "balanced"


def asked(given: Sequence[str]) -> str | tuple[float, ...] | None:
    """What --class-weight says: balanced, a number for each class, or None.

    Raises:
      SettingError: neither; a weight below 0, none above, or one that is no number.
    """
    if not given:
        return None
    if list(given) == [BALANCED]:
        return BALANCED
    said = f"--class-weight {' '.join(given)}"
    try:
        weights = tuple(map(float, given))
    except ValueError:
        raise SettingError(f"{said}: say balanced, or a number for each class") from None
    if not all(0 <= weight < np.inf for weight in weights) or not any(weights):
        raise SettingError(f"{said}: weights are numbers from 0 on, and one is above 0")
    return weights


def remarks(given: Sequence[str]) -> list[str]:
    """What a reader should know where --class-weight is given."""
    if not given:
        return []
    return [
        "training rows weigh by class (--class-weight), and so do the figures of rows held out for"
        " validation; test rows do not"
    ]


def of_classes(
    asked: str | Sequence[float] | None,
    labels: np.ndarray,
    class_names: Sequence[str],
    weights: np.ndarray | None = None,
) -> np.ndarray:
    """Weights [K] of classes.

    Args:
      asked: as `asked` returns; balanced is Σ weights / (K Σ weights of the class), so that every
        class weighs the same and all rows together what they did.
      labels: [N], 0 to K - 1.
      class_names: of the K classes.
      weights: [N] of the rows themselves; None: 1 each.

    Raises:
      SettingError: another number of weights than of classes.
    """
    if asked is None:
        return np.ones(len(class_names))
    if asked == BALANCED:
        counts = np.bincount(labels, weights, len(class_names)).astype(np.float64)
        heard = counts > 0  # scikit-learn counts the classes that it meets
        return np.divide(counts.sum() / heard.sum(), counts, where=heard, out=counts.copy())
    if len(asked) != len(class_names):
        raise SettingError(
            f"--class-weight has {len(asked)} numbers, and there are {len(class_names)} classes;"
            f" give one for each of {', '.join(class_names[:8])}{' …' * (len(class_names) > 8)}"
        )
    return np.asarray(asked, np.float64)


def of_rows(asked, labels: np.ndarray, class_names: Sequence[str]) -> np.ndarray:
    """[N] what each row weighs by its class; arguments as of `of_classes`."""
    return of_classes(asked, labels, class_names)[labels]
