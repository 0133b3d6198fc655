"""scikit-learn's own tests of its metrics, run on ours through a thin adapter."""

import warnings

import pytest

from tests.metrics_adapter import about_ours, cases_of, point_at_ours, their_tests
from tests.sizes import PROOFS

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
# Of the tests that all their metrics share.
EXCLUDED_OF_ALL = {
    "test_array_api_compliance": "array libraries other than numpy and JAX",
    "test_mixed_array_api_namespace_input_compliance": "likewise",
    "test_array_api_classification_string_input": "likewise",
    "test_array_api_classification_mixed_string_numeric_input": "likewise",
    "test_metrics_pos_label_error_str": "wants pos_label for texts where ours takes the greater",
}
# What a second of compilation shows once more, of weights, orders and formats: for `make proofs`.
DEAR = {
    "test_averaging_multilabel",
    "test_binary_sample_weight_invariance",
    "test_continuous_classification_invariance_string_vs_numbers_labels",
    "test_continuous_metric_permutation_invariance",
    "test_continuous_multilabel_multioutput_permutations_invariance",
    "test_format_invariance_with_1d_vectors",
    "test_metrics_dataframe_series",
    "test_multiclass_sample_weight_invariance",
    "test_multilabel_representation_invariance",
    "test_multilabel_sample_weight_invariance",
    "test_multioutput_regression_invariance_to_dimension_shuffling",
    "test_multioutput_sample_weight_invariance",
    "test_normalize_option_multilabel_classification",
    "test_not_symmetric_metric",
    "test_regression_sample_weight_invariance",
    "test_returned_value_consistency",
    "test_sample_order_invariance",
    "test_sample_order_invariance_multilabel_and_multioutput",
    "test_single_sample_multioutput",
    "test_symmetric_metric",
}
COMMON = their_tests("test_common")
SHARED = {}
for name, function, arguments in cases_of(COMMON):
    if about_ours(COMMON, arguments):
        SHARED.setdefault(name.partition("[")[0], []).append((function, arguments))
MODULES = [their_tests(f"test_{name}") for name in ("classification", "ranking", "regression")]
CASES = [(m, *case) for m in MODULES for case in cases_of(m)]
APPLICABLE = [case for case in CASES if case[1].partition("[")[0] not in EXCLUDED]


def test_most_of_their_tests_apply_and_every_exclusion_names_a_test():
    """Guards against an exclusion that outlives its test, or that hides a good part of them."""
    names = {case[1].partition("[")[0] for case in CASES}
    assert set(EXCLUDED) <= names
    assert len(APPLICABLE) > 460
    assert set(EXCLUDED_OF_ALL) | DEAR <= set(SHARED)
    assert len(SHARED["test_classification_inf_nan_input"]) > 290


@pytest.mark.once  # the adapter asks for float64 by itself
@pytest.mark.parametrize(
    ("module", "name", "function", "arguments"), APPLICABLE, ids=[case[1] for case in APPLICABLE]
)
def test_theirs_passes_on_ours(module, name, function, arguments, monkeypatch):
    del name
    point_at_ours(module, monkeypatch)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # their helpers warn about themselves
        function(**arguments)


@pytest.mark.once
@pytest.mark.parametrize(
    "name", sorted(set(SHARED) - set(EXCLUDED_OF_ALL) - (set() if PROOFS else DEAR))
)
def test_what_all_their_metrics_share_ours_share_too(name, monkeypatch):
    """Refusals of infinite, complex and ragged input among them: some hundred cases each."""
    point_at_ours(COMMON, monkeypatch)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for function, arguments in SHARED[name]:
            try:
                function(**arguments)
            except pytest.skip.Exception:
                continue  # a library that isn't there
            except BaseException as error:
                error.add_note(f"in {name} of {arguments}")
                raise
