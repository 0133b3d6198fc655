"""What R, Stata and textbooks print, to their last digits: fits without a penalty, glmnet's toy."""

import json
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from jaxlr import Batch, losses, paths

pytestmark = pytest.mark.float64

REFERENCE = Path(__file__).parents[2] / "shared" / "data" / "reference"
STOPPED_EARLY = {"spector_mazzeo": 3e-6}  # eleven digits printed, of which seven had converged


def levels(column, *names):
    return np.stack([column == name for name in names], axis=1).astype(float)


def admissions(table):
    return np.c_[table[["gre", "gpa"]], levels(table["rank"], 2, 3, 4)], table["admit"]


def orings(table):
    return table[["Temperature"]], table["Total"] > 0


def credit(table):
    x = np.c_[table[["balance", "income"]], levels(table["student"], "Yes")]
    return x, table["default"] == "Yes"


def teaching(table):
    return table[["GPA", "TUCE", "PSI"]], table["GRADE"]


def births(table):
    x = np.c_[table[["age", "lwt"]], levels(table["race"], 2, 3), table["ftv"]]
    return x, table["low"]


COLUMNS = {
    "ucla_admissions": admissions,
    "challenger_orings_any": orings,
    "islr_default_multi": credit,
    "spector_mazzeo": teaching,
    "hosmer_lemeshow_lowbwt_t2.2": births,
}


def published(file):
    if not (REFERENCE / file).exists():
        pytest.skip("the published data are not here")
    return json.loads((REFERENCE / file).read_text())


def read(file):
    spaced = {"sep": r"\s+", "quotechar": "'"} if file.endswith(".ssv") else {}
    return pd.read_csv(REFERENCE / "data" / file, **spaced)


def last_digit(number):
    return 10.0 ** Decimal(repr(number)).as_tuple().exponent


@pytest.mark.parametrize("name", COLUMNS)
def test_without_a_penalty_the_coefficients_are_those_printed(name):
    case = published("logit_references.json")[name]
    x, labels = COLUMNS[name](read(case["data"].split()[0]))
    x, labels = np.asarray(x, float), np.asarray(labels, int)
    assert len(x) == case["n"]
    found = paths.fit(Batch(x, labels), [0.0], loss=losses.log_loss, tol=1e-14)
    ours = np.append(found.params["b"], found.params["w"])
    for got, printed in zip(ours, case["published_coef"], strict=True):
        assert abs(got - printed) <= max(last_digit(printed), STOPPED_EARLY.get(name, 0))
    np.testing.assert_allclose(ours, case["newton_coef"], rtol=1e-9)
    np.testing.assert_allclose(-case["n"] * found.risk[0], case["newton_loglik"], rtol=1e-14)
    # Whether float64 can prove a bound of 1e-14 depends on the data.
    assert found.status[0] in (paths.Status.certified, paths.Status.solved)


@pytest.mark.parametrize("kind", ["binary", "multinomial"])
def test_glmnets_toy_as_far_as_its_threshold_went(kind):
    toy = published("more_references.json")["glmnet_ridge_toy_sklearn"]
    loss = losses.log_loss if kind == "binary" else losses.softmax_cross_entropy
    batch = Batch(np.array(toy["X"], float), np.array(toy[kind]["y"]))
    found = paths.fit(batch, [1.0], loss=loss, tol=1e-14)
    b = found.params["b"][0]
    if kind == "multinomial":  # a softmax leaves the intercepts' mean open; glmnet's is 0
        b = b - b.mean()
    np.testing.assert_allclose(found.params["w"][0].T, toy[kind]["coef"], rtol=0, atol=5e-8)
    np.testing.assert_allclose(b, toy[kind]["intercept"], rtol=0, atol=5e-8)


def test_quasi_separated_labels_have_the_status_that_says_so():
    published("more_references.json")
    table = read("sex2.csv")
    x, labels = table.drop(columns="case").to_numpy(float), table["case"].to_numpy()
    found = paths.fit(Batch(x, labels), [1e-3, 0.0], loss=losses.log_loss)
    assert found.status.tolist() == [paths.Status.certified, paths.Status.separable]
    margins = (2 * labels - 1) * (x @ found.params["w"][1] + found.params["b"][1])
    assert margins.min() >= 0 < margins.max()
