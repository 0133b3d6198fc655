"""scikit-learn's own tests of its metrics, run on ours through a thin adapter."""

import warnings

import pytest

from tests.metrics_adapter import cases_of, point_at_ours, their_tests

# What can't apply, and why. Everything else of the three files has to pass.
EXCLUDED = {
    "test_classification_report_zero_division_warning": "records warnings; ours never warn",
    "test_classification_report_labels_target_names_unequal_length": "warns; ours raises",
    "test_prf_warnings": "records warnings; ours never warn",
    "test_recall_warnings": "records warnings; ours never warn",
    "test_precision_warnings": "records warnings; ours never warn",
    "test_fscore_warnings": "records warnings; ours never warn",
    "test_log_loss_y_pred_deprecation": "an argument name that scikit-learn is dropping",
    "test_d2_log_loss_score_y_pred_deprecation": "an argument name that scikit-learn is dropping",
    "test_confusion_matrix_at_thresholds_positional_args_deprecation": "likewise by position",
    "test_confusion_matrix_array_api": "array libraries other than numpy and JAX",
    "test_likelihood_ratios_wrong_dict_replace_undefined_by": "restricts what a default may be",
    "test_d2_log_loss_score_raises": "refuses integers that show fewer classes than columns; to "
    "ours a class missing from a fold is in order",
    "test_d2_brier_score_raises": "likewise",
    "test_d2_brier_score": "asks for == 0 of a float64 quotient; ours is 1e-16 away",
    "test_roc_auc_score_multiclass_labels_error": "wants rows that sum to one; an area needs no "
    "such thing",
    "test_pinball_loss_relation_with_mae": "asks for == between a metric of ours and one of theirs",
}
MODULES = [their_tests(f"test_{name}") for name in ("classification", "ranking", "regression")]
CASES = [(m, *case) for m in MODULES for case in cases_of(m)]
APPLICABLE = [case for case in CASES if case[1].partition("[")[0] not in EXCLUDED]


def test_most_of_their_tests_apply_and_every_exclusion_names_a_test():
    """Guards against an exclusion that outlives its test, or that hides a good part of them."""
    names = {case[1].partition("[")[0] for case in CASES}
    assert set(EXCLUDED) <= names
    assert len(APPLICABLE) > 460


@pytest.mark.float32_pass  # the adapter asks for float64 by itself
@pytest.mark.parametrize(
    ("module", "name", "function", "arguments"), APPLICABLE, ids=[case[1] for case in APPLICABLE]
)
def test_theirs_passes_on_ours(module, name, function, arguments, monkeypatch):
    del name
    point_at_ours(module, monkeypatch)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # their helpers warn about themselves
        function(**arguments)
