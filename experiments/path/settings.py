"""The dials of exact paths, what values make sense, and the protocol they add up to."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import numpy as np

from experiments.kit import class_weights
from experiments.kit.mistakes import SettingError
from experiments.kit.settings import LARGEST, dashed, mistakes, refuse
from experiments.path import metrics
from experiments.protocols.settings import ProtocolSettings
from experiments.protocols.settings import mistakes as protocol_mistakes

CLIP_C = (1e-6, 1e6, 96)  # Radford et al. 2021, appendix A.3
VALIDATION_FRACTION = 0.2  # of the training rows, where the protocol validates on one split
DEFAULT_NUM = 100
MOST_LAMBDAS = 100_000
REACH = f"a penalty is 0 or lies from {1 / LARGEST:g} to {LARGEST:g}; rescale the features"
# A default grid ends at this share of its largest penalty. No penalty zeroes the weights of a
# ridge, which starts where the elastic net of l1_ratio 0.1 would, and goes further down.
SMALLEST_SHARE, SMALLEST_RIDGE_SHARE, RIDGE = 1e-4, 1e-6, 0.1


@dataclass(frozen=True)
class Settings(ProtocolSettings):
    """The dials of exact paths."""

    NAME: ClassVar[str] = "experiments.path"

    data: tuple[str, ...] = ("digits",)
    """breast_cancer, iris, wine, diabetes, digits, or a file: CSV, Parquet, NPZ, LIBSVM, IDX; or
    embeddings: .npy, NPZ, Parquet with list columns. Several files of embeddings are layers."""
    target: tuple[str, ...] = ()
    """Columns to predict, by name or number; default: one called target, label(s), class or y, or
    else the last one. Labels [rows, targets] are as many targets."""
    labels: str | None = None
    """Labels of embeddings that hold none: .npy, NPZ, CSV or Parquet; --target names columns."""
    task: Literal["binary", "multiclass", "regression"] | None = None
    """Default: inferred from each target; integers that recur beside embeddings are classes."""
    drop_classes: tuple[str, ...] = ()
    """Classes whose rows are left out, by name; of several targets also as target=name."""
    out: str = "out/path"
    """Folder for the results; must be new or empty."""
    lambdas: tuple[float, ...] = ()
    """How many penalties (one whole number; default 100), spread by their logarithm; or the
    penalties themselves, from strong to weak, 0 allowed at the end."""
    lambda_max: float | None = None
    """The strongest penalty; default: the smallest that zeroes every weight (of a ridge: that of
    l1_ratio 0.1)."""
    lambda_min: float | None = None
    """The weakest penalty; default: 1e-4 of the strongest, for a ridge 1e-6."""
    l1_ratio: tuple[float, ...] = ()
    """0 ridge (default), 1 lasso, between them elastic net; several are compared. The risk adds
    lambda ((1 - l1_ratio)/2 ||W||^2 + l1_ratio ||W||_1)."""
    folds: int | None = None
    """Folds of the training rows; default 5."""
    rule: Literal["best", "one_standard_error"] | None = None
    """The best mean over folds (default), or the strongest penalty within a standard error."""
    metric: Literal[tuple(metrics.METRICS)] | None = None
    """What chooses, on rows held out; default: the mean loss."""
    intercept: bool = True
    """Whether there is one; without, features and a regression's target are not centred, so that
    --scaling must be none, its default then."""
    tol: float | None = None
    """A lane is done when it is proved to be within tol times its risk of the optimum; default
    1e-6, with --protocol mteb 1e-8."""
    scaling: Literal["standard", "none"] | None = None
    """Features by mean and deviation of the training rows (default), or as they are."""
    probe_pages: int = 60
    """Most probes that get a page of their own; each target's best layer comes first."""


@dataclass(frozen=True)
class Plan:
    """Settings with every default in place.

    Attributes:
      lambdas: the penalties themselves, or None for a grid of `num` of them.
      ends: the strongest and the weakest of that grid, None for the data's own.
      costs: C of each lane in place of penalties; a refit keeps its C.
      folds: 1 is a single validation split.
      intercept: whether lanes have one.
      pages: how many probes get a page.
      class_weight: as of `class_weights.of_classes`.
    """

    lambdas: np.ndarray | None
    num: int
    ends: tuple[float | None, float | None]
    costs: np.ndarray | None
    l1_ratios: tuple[float, ...]
    folds: int
    rule: str
    metric: str
    scaling: str
    tol: float
    intercept: bool = True
    pages: int = 60
    class_weight: str | tuple[float, ...] | None = None

    @property
    def maximise(self) -> bool:
        """Whether more of the metric is better."""
        return metrics.METRICS[self.metric].maximise

    def metric_name(self, task: str) -> str:
        """What the metric is called in a sentence about such a target."""
        return metrics.prose(self.metric, task)


def plan(settings: Settings) -> Plan:
    """The plan that the settings add up to.

    Raises:
      SettingError: a value that has no meaning, before any work.
    """
    refuse(_mistakes(settings))
    values, num = _lambdas(settings)
    planned = Plan(
        lambdas=values,
        num=num,
        ends=_ends(settings),
        costs=None,
        l1_ratios=tuple(dict.fromkeys(settings.l1_ratio)) or (0.0,),
        folds=settings.folds or 5,
        rule=settings.rule or "best",
        metric=settings.metric or "loss",
        scaling=settings.scaling or ("standard" if settings.intercept else "none"),
        tol=1e-6 if settings.tol is None else settings.tol,
        intercept=settings.intercept,
        pages=settings.probe_pages,
        class_weight=class_weights.asked(settings.class_weight),
    )
    if settings.protocol != "clip":
        return planned
    costs = np.geomspace(*CLIP_C)
    fixed = {"folds": 1, "metric": "accuracy", "scaling": "none"}
    return replace(planned, num=len(costs), costs=costs, **fixed)


def _lambdas(settings: Settings) -> tuple[np.ndarray | None, int]:
    """The penalties themselves, or None, and how many."""
    given = np.asarray(settings.lambdas, np.float64)
    if not len(given):
        return None, DEFAULT_NUM
    if len(given) > 1:
        _check_lambdas(settings, given)
        return given, len(given)
    (number,) = given
    if not (1 <= number < math.inf and number == int(number)):
        raise SettingError(
            f"--lambdas {number:g}: one value says how many penalties, a whole number from 1 on;"
            f" for the single penalty say --lambdas 1 --lambda-max {number:g}"
        )
    if number > MOST_LAMBDAS:
        raise SettingError(f"--lambdas {number:g}: at most {MOST_LAMBDAS:,} penalties")
    return None, int(number)


def _mistakes(settings: Settings) -> Iterator[str]:
    yield from mistakes(settings, {"folds": (2, 2**24), "probe_pages": (0, 2**24)})
    yield from protocol_mistakes(settings)
    if settings.tol is not None and not 0 < settings.tol < 1:
        yield f"--tol {settings.tol:g}: must lie between 0 and 1, like 1e-6"
    for ratio in settings.l1_ratio:
        if not 0 <= ratio <= 1:
            yield f"--l1-ratio {ratio:g}: must lie in [0, 1]; 0 is ridge, 1 lasso"
    if settings.scaling == "standard" and not settings.intercept:
        yield (
            "--scaling standard: centres features, and what goes through their mean does not go"
            " through the origin; with --no-intercept take --scaling none"
        )
    for name in ("lambda_max", "lambda_min"):
        value = getattr(settings, name)
        if value is None:
            continue
        if not 0 < value < math.inf:
            yield (
                f"--{dashed(name)} {value:g}: must be above 0, being spread by its logarithm;"
                " for no penalty list --lambdas 1 0.1 0.01 0"
            )
        elif not 1 / LARGEST <= value <= LARGEST:
            yield f"--{dashed(name)} {value:g}: {REACH}"


def _check_lambdas(settings: Settings, values: np.ndarray) -> None:
    for name in ("lambda_max", "lambda_min"):
        if getattr(settings, name) is not None:
            raise SettingError(
                f"--{dashed(name)} {getattr(settings, name):g}: --lambdas gives the penalties"
                " themselves; leave one of the two out"
            )
    wrong = values[~(np.isfinite(values) & (values >= 0))]
    if len(wrong):
        raise SettingError(f"--lambdas {wrong[0]:g}: a penalty is a number from 0 on")
    far = values[(values > LARGEST) | ((values > 0) & (values < 1 / LARGEST))]
    if len(far):
        raise SettingError(f"--lambdas {far[0]:g}: {REACH}")
    rising = np.flatnonzero(np.diff(values) >= 0)
    if len(rising):
        pair = values[rising[0] : rising[0] + 2]
        raise SettingError(
            f"--lambdas {_said(pair)}: give penalties from strong to weak, each once:"
            f" --lambdas {_said(np.unique(values)[::-1])}"
        )


def _ends(settings: Settings) -> tuple[float | None, float | None]:
    high, low = settings.lambda_max, settings.lambda_min
    if None not in (high, low) and not low < high:
        raise SettingError(
            f"--lambda-min {low:g}: must be below --lambda-max {high:g}; exchange the two"
        )
    return high, low


def _said(values) -> str:
    values = values if isinstance(values, tuple | np.ndarray) else (values,)
    return " ".join(f"{v:g}" if isinstance(v, float) else str(v) for v in values)
