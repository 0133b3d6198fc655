"""The table of the lectures: each part, what implements it, what proves it, what answers the hand.

The script NAME.py computes and draws, texts/NAME.md tells it in both languages, exercises/NAME.py
is the student's turn.
"""

from typing import NamedTuple


class Part(NamedTuple):
    """One part of a lecture.

    Attributes:
      name: of its script, its text, its page and its exercise.
      title: in English and in Russian.
      functions: of jaxlr, the first one first to be read.
      tests: "file::function" in tests/, which prove what the part says.
      play: the module of play/ that its picture answers with, if it does.
    """

    name: str
    title: tuple[str, str]
    functions: tuple[str, ...]
    tests: tuple[str, ...]
    play: str | None = None

    @property
    def number(self) -> str:
        """A10 of a10_roc_auc."""
        return self.name.split("_")[0].upper().replace("A0", "A").replace("B0", "B")


PARTS = (
    Part(
        "a01_three_parts",
        ("Task, loss, optimizer", "Задача, функция потерь, оптимизатор"),
        ("models.linear", "losses.squared_error", "losses.risk", "training.step", "training.fit"),
        ("test_training.py::test_descent_on_the_squared_error_ends_at_least_squares",
         "test_training.py::test_fit_is_the_plain_loop_in_numpy_and_takes_numpys_arrays"),
    ),
    Part(
        "a02_optimizers",
        ("The optimizers", "Оптимизаторы"),
        ("optimizers.sgd", "optimizers.momentum_ema", "optimizers.adagrad", "optimizers.adadelta",
         "optimizers.rmsprop", "optimizers.adam", "solvers.nonlinear_cg", "solvers.newton",
         "solvers.bfgs"),
        ("test_optimizers_textbook.py::test_the_textbook_takes_the_same_steps",
         "test_solvers_parts.py::test_on_a_parabola_the_nonlinear_method_is_the_linear_one",
         "test_solvers_parts.py::test_newton_solves_with_the_hessian_where_that_is_positive",
         "test_solvers_parts.py::test_a_step_of_bfgs_learns_by_the_formula"),
    ),
    Part(
        "a03_momentum",
        ("Momentum in the ravine", "Импульс в овраге"),
        ("optimizers.momentum_ema", "optimizers.sgd"),
        ("test_optimizers_lanes.py::test_momentum_ema_is_the_heavy_ball_with_a_smaller_step",
         "test_lecture_ravine.py::test_polyaks_beta_shrinks_every_direction_of_the_ravine_alike",
         "test_lecture_ravine.py::test_the_pages_paths_down_the_ravine_are_the_librarys"),
        play="ravine",
    ),
    Part(
        "a04_classification",
        ("Classification", "Классификация"),
        ("models.linear", "activations.sigmoid", "solvers.newton",
         "chain_rule.logistic_regression_hessian", "losses.softmax_cross_entropy"),
        ("test_lecture_likelihood.py::test_a_fit_and_its_errors_are_those_of_fisher_scoring",
         "test_lecture_likelihood.py::test_intervals_hold_the_truth_as_often_as_they_say",
         "test_solvers.py::test_logistic_risks_reach_the_minimum_that_scipy_finds",
         "test_chain_rule.py::test_hessian_and_its_product_agree_with_autodiff"),
    ),
    Part(
        "a05_likelihood",
        ("From likelihood to loss", "От правдоподобия к функции потерь"),
        ("losses.log_loss", "losses.risk", "solvers.bfgs"),
        ("test_lecture_likelihood.py::test_the_likelihood_is_greatest_where_the_risk_is_least",
         "test_lecture_likelihood.py::"
         "test_a_product_of_probabilities_ends_at_zero_where_its_logarithms_are_a_number",
         "test_losses.py::test_risk_is_the_design_papers_formula"),
    ),
    Part(
        "a06_logistic",
        ("Logistic regression", "Логистическая регрессия"),
        ("activations.sigmoid", "losses.log_loss_from_probability", "losses.log_loss",
         "losses.softmax_cross_entropy"),
        ("test_losses.py::test_the_lectures_table_of_corners",
         "test_lecture_likelihood.py::test_the_formula_as_written_dies_where_the_model_is_right",
         "test_losses.py::test_loss_slope_and_curvature_of_a_probability_are_right_to_the_last_bits",
         "test_losses.py::test_the_mean_of_log_losses_is_scikit_learns",
         "test_lecture_likelihood.py::test_a_soft_label_costs_its_entropy_at_least",
         "test_theorems.py::test_a_softmax_of_two_classes_is_the_logistic"),
    ),
    Part(
        "a07_softmax",
        ("Many classes: softmax", "Много классов: softmax"),
        ("activations.softmax", "activations.log_softmax", "losses.softmax_cross_entropy",
         "chain_rule.softmax_regression"),
        ("test_theorems.py::test_softmax_does_not_feel_a_shift",
         "test_theorems.py::test_a_softmax_of_two_classes_is_the_logistic",
         "test_theorems.py::test_entropy_grows_with_the_temperature",
         "test_chain_rule.py::test_autodiff_agrees_with_the_chain_rule_by_hand",
         "test_lecture_softmax.py::test_the_picture_says_what_the_library_says"),
        play="softmax",
    ),
    Part(
        "a08_descent",
        ("Gradient descent for logistic regression",
         "Градиентный спуск для логистической регрессии"),
        ("training.fit", "training.step", "data.epochs", "chain_rule.logistic_regression",
         "chain_rule.risk", "paths.fit"),
        ("test_training.py::test_fit_is_the_plain_loop_in_numpy_and_takes_numpys_arrays",
         "test_chain_rule.py::test_the_gradient_of_the_whole_risk_agrees_with_autodiff",
         "test_data.py::test_an_epoch_meets_each_row_at_most_once_and_every_epoch_is_a_new_shuffle",
         "test_lecture_descent.py::test_the_pictures_steps_are_those_of_the_library"),
        play="descent",
    ),
    Part(
        "a09_metrics",
        ("Metrics, and how accuracy misleads", "Метрики, и чем обманчива доля верных ответов"),
        ("metrics.accuracy_score", "metrics.confusion_matrix", "metrics.precision_score",
         "metrics.recall_score", "metrics.f1_score", "metrics.fbeta_score"),
        ("test_metrics_lecture.py::test_always_spam_scores_nine_tenths_and_what_the_others_say",
         "test_metrics_lecture.py::test_imbalance_moves_precision_and_not_recall",
         "test_metrics_lecture.py::test_f_beta_runs_from_precision_to_recall"),
        play="threshold",
    ),
    Part(
        "a10_roc_auc",
        ("ROC-AUC, built by hand", "ROC-AUC своими руками"),
        ("metrics.roc_curve", "metrics.roc_auc_score"),
        ("test_metrics_lecture.py::test_the_staircase",
         "test_metrics_lecture.py::test_ideal_random_and_worst"),
    ),
    Part(
        "a11_averages",
        ("Micro and macro averages", "Микро- и макроусреднение"),
        ("metrics.multilabel_confusion_matrix", "metrics.f1_score",
         "metrics.precision_recall_fscore_support"),
        ("test_metrics_lecture.py::test_micro_and_macro_by_the_lectures_recipe",),
    ),
    Part(
        "b01_again",
        ("How is the loss minimised?", "Как минимизировать функцию потерь?"),
        ("losses.log_loss", "losses.risk", "chain_rule.logistic_regression_hessian",
         "optimizers.sgd", "training.step"),
        ("test_theorems.py::test_a_risk_lies_below_its_chords_and_above_its_tangents",
         "test_chain_rule.py::test_hessian_and_its_product_agree_with_autodiff",
         "test_training.py::test_a_safe_step_only_lowers_a_logistic_risk"),
    ),
    Part(
        "b02_backpropagation",
        ("Backpropagation", "Обратное распространение ошибки"),
        ("chain_rule.logistic_regression_factors", "chain_rule.product",
         "chain_rule.logistic_regression", "chain_rule.mlp"),
        ("test_chain_rule.py::test_the_lectures_three_factors_multiply_to_the_collapsed_form",
         "test_chain_rule.py::test_autodiff_agrees_with_the_chain_rule_by_hand",
         "test_chain_rule.py::test_an_mlp_of_any_depth_agrees_with_autodiff"),
    ),
    Part(
        "b03_trick",
        ("The logistic trick", "Логистический трюк"),
        ("activations.log_sigmoid", "activations.softplus", "losses.log_loss",
         "activations.log_softmax"),
        ("test_activations.py::test_value_slope_and_curvature_are_right_to_the_last_bits",
         "test_activations.py::test_every_component_of_a_softmax_is_right_to_its_own_last_bits",
         "test_losses.py::test_log_loss_its_slope_and_curvature_are_right_to_the_last_bits",
         "test_lecture_floats.py::test_the_table_of_first_failures"),
        play="floats",
    ),
    Part(
        "b04_practice",
        ("Practice", "Практика"),
        ("training.fit", "losses.risk", "chain_rule.risk", "paths.fit"),
        ("test_lecture_practice.py::test_by_hand_is_the_machines_derivative",
         "test_lecture_practice.py::test_the_notebook_runs_top_to_bottom",
         "test_chain_rule.py::test_the_gradient_of_the_whole_risk_agrees_with_autodiff",
         "test_training.py::test_fit_is_the_plain_loop_in_numpy_and_takes_numpys_arrays",
         "test_paths.py::test_gaps_bound_what_is_left"),
    ),
)  # fmt: skip
