"""A certificate for a fitted estimator of scikit-learn's, read off the estimator itself."""

from typing import Any

import numpy as np

from jaxlr import losses
from jaxlr.certificates.anyone import Certificate, certify
from jaxlr.data import containers
from jaxlr.pytypes import Array, Batch

CLASSIFIERS = ("LogisticRegression", "LogisticRegressionCV")
SQUARES = ("LinearRegression", "Ridge", "Lasso", "ElasticNet")


def of_estimator(
    fitted: Any, X: Any, y: Any, *, sample_weight: Array | None = None, tol: float = 1e-6
) -> Certificate:
    """How far a fitted estimator can be from the optimum of what it was asked to minimise.

    Its C or alpha, l1 ratio, class weights and intercept are read from it; the objective is
    jaxlr's, λ = 1/(C Σ s) of a LogisticRegression, 2 alpha / Σ s of a Ridge, and 2 alpha of a
    Lasso or ElasticNet.

    Args:
      fitted: LogisticRegression, LogisticRegressionCV, Ridge, Lasso, ElasticNet or
        LinearRegression, after `fit`. Several targets are lanes.
      X: [N, D], the rows it was fitted on; a data frame, a sparse matrix.
      y: [N] its labels, or [N, T].
      sample_weight: [N], as it was given to `fit`.
      tol: of J, for the status.

    Raises:
      ValueError: another estimator, one that is not fitted, or one whose objective is another
        (liblinear penalises the intercept; positive weights).
    """
    name = type(fitted).__name__
    if name not in CLASSIFIERS + SQUARES:
        known = ", ".join(CLASSIFIERS + SQUARES)
        raise ValueError(
            f"{name} is no linear model that is known here ({known}): give its coefficients to"
            " certificates.certify"
        )
    if not hasattr(fitted, "coef_"):
        raise ValueError(f"this {name} is not fitted: call fit(X, y) first")
    if getattr(fitted, "positive", False):
        raise ValueError("positive=True constrains the weights, and the bound knows no constraint")
    X = X.toarray() if hasattr(X, "toarray") else X
    weights = np.ones(len(X)) if sample_weight is None else np.asarray(sample_weight, np.float64)
    read = _classifier if name in CLASSIFIERS else _squares
    labels, weights, params, asked = read(fitted, containers.array("y", y), weights)
    intercept = bool(fitted.fit_intercept)
    return certify(Batch(X, labels, weights), params, **asked, tol=tol, fit_intercept=intercept)


def _classifier(fitted, y, weights):
    """A logistic regression's labels as codes, its weights, params and objective."""
    if fitted.solver == "liblinear" and fitted.fit_intercept:
        raise ValueError(
            "liblinear penalises the intercept, which is another objective: fit with another solver"
        )
    classes = fitted.classes_
    code = {label: at for at, label in enumerate(classes.tolist())}
    strange = next((label for label in y.tolist() if label not in code), None)
    if strange is not None:
        raise ValueError(
            f"y holds {containers.short(strange)}, which is none of the classes that it was fitted"
            " on"
        )
    codes = np.array([code[label] for label in y.tolist()])
    weights = weights * _of_classes(fitted.class_weight, classes, codes, weights)
    C, l1_ratio = _chosen(fitted)
    coef = np.asarray(fitted.coef_)
    intercept = np.broadcast_to(fitted.intercept_, len(coef))
    asked = {"lam": 1 / (C * weights.sum()), "l1_ratio": l1_ratio}
    if len(coef) == 1:
        return codes, weights, {"w": coef[0], "b": intercept[0]}, asked | {"loss": losses.log_loss}
    asked |= {"loss": losses.softmax_cross_entropy, "num_classes": len(classes)}
    return codes, weights, {"w": coef.T, "b": intercept}, asked


def _chosen(fitted) -> tuple[float, float]:
    """C and the l1 ratio of the fit whose coefficients stand there."""
    names = ("C_", "l1_ratio_") if hasattr(fitted, "C_") else ("C", "l1_ratio")
    read = [getattr(fitted, name, None) for name in names]
    C, l1_ratio = (np.unique(0.0 if value is None else value).astype(float) for value in read)
    if len(C) > 1 or len(l1_ratio) > 1:
        raise ValueError("this LogisticRegressionCV chose a penalty for each class: certify each")
    penalty = getattr(fitted, "penalty", None)
    if penalty is None or penalty == "none":
        return np.inf, 0.0
    return C[0], {"l1": 1.0, "l2": 0.0}.get(penalty, l1_ratio[0])


def _of_classes(class_weight, classes, codes, weights):
    """What a row's class multiplies its weight by: [N]."""
    if class_weight is None:
        return np.ones(len(codes))
    if class_weight == "balanced":  # scikit-learn counts rows by their weights
        counts = np.bincount(codes, weights, minlength=len(classes))
        return (weights.sum() / (len(classes) * counts))[codes]
    return np.array([class_weight.get(label, 1.0) for label in classes.tolist()])[codes]


def _squares(fitted, y, weights):
    """The same of a least-squares model; several targets are lanes."""
    name = type(fitted).__name__
    alpha = 0.0 if name == "LinearRegression" else np.asarray(fitted.alpha, np.float64)
    w, b = np.asarray(fitted.coef_), np.asarray(fitted.intercept_)
    b = np.broadcast_to(b, len(w)) if w.ndim == 2 else b.reshape(())
    asked = {"loss": losses.squared_error, "lam": 2 * alpha, "l1_ratio": 0.0}
    if name == "Ridge":
        asked["lam"] = 2 * alpha / weights.sum()
    elif name != "LinearRegression":
        asked["l1_ratio"] = 1.0 if name == "Lasso" else float(fitted.l1_ratio)
    return y.T, weights, {"w": w, "b": b}, asked
