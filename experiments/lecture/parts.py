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
        ("Task, loss, optimizer", "Задача, потери, оптимизатор"),
        ("models.linear", "losses.squared_error", "losses.risk", "training.fit"),
        ("test_training.py::TODO",),
    ),
    Part(
        "a02_optimizers",
        ("The optimizers", "Оптимизаторы"),
        ("optimizers.sgd", "optimizers.adagrad", "optimizers.adadelta", "optimizers.rmsprop",
         "optimizers.adam", "solvers.nonlinear_cg", "solvers.newton", "solvers.bfgs"),
        ("test_optimizers_textbook.py::TODO",),
    ),
    Part(
        "a03_momentum",
        ("Momentum in the ravine", "Импульс в овраге"),
        ("optimizers.momentum_ema", "optimizers.sgd"),
        ("test_optimizers_textbook.py::TODO",),
        play="ravine",
    ),
    Part(
        "a04_classification",
        ("Classification", "Классификация"),
        ("models.linear", "activations.sigmoid", "solvers.newton"),
        ("test_TODO.py::TODO",),
    ),
    Part(
        "a05_likelihood",
        ("From likelihood to loss", "От правдоподобия к потерям"),
        ("losses.log_loss", "losses.risk"),
        ("test_losses.py::TODO",),
    ),
    Part(
        "a06_logistic",
        ("Logistic regression", "Логистическая регрессия"),
        ("activations.sigmoid", "losses.log_loss_from_probability", "losses.log_loss"),
        ("test_losses.py::TODO",),
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
        ("Gradient descent for logistic regression", "Градиентный спуск для логистической регрессии"),
        ("training.fit", "data.epochs", "chain_rule.logistic_regression"),
        ("test_training.py::TODO",),
        play="descent",
    ),
    Part(
        "a09_metrics",
        ("Metrics, and how accuracy misleads", "Метрики, и чем обманчива точность"),
        ("metrics.accuracy_score", "metrics.confusion_matrix", "metrics.precision_score",
         "metrics.recall_score", "metrics.f1_score", "metrics.fbeta_score"),
        ("test_metrics_lecture.py::TODO",),
        play="threshold",
    ),
    Part(
        "a10_roc_auc",
        ("ROC-AUC, built by hand", "ROC-AUC, построение"),
        ("metrics.roc_curve", "metrics.roc_auc_score"),
        ("test_metrics_lecture.py::test_the_staircase",
         "test_metrics_lecture.py::test_ideal_random_and_worst"),
    ),
    Part(
        "a11_averages",
        ("Micro and macro averages", "Микро- и макроусреднение"),
        ("metrics.multilabel_confusion_matrix", "metrics.precision_recall_fscore_support"),
        ("test_metrics_lecture.py::TODO",),
    ),
    Part(
        "b01_again",
        ("How is the loss minimised?", "Как минимизировать потери?"),
        ("losses.log_loss", "losses.risk", "optimizers.sgd", "training.step"),
        ("test_training.py::TODO",),
    ),
    Part(
        "b02_backpropagation",
        ("Backpropagation", "Обратное распространение ошибки"),
        ("chain_rule.logistic_regression_factors", "chain_rule.product", "chain_rule.mlp"),
        ("test_chain_rule.py::TODO",),
    ),
    Part(
        "b03_trick",
        ("The logistic trick", "Логистический трюк"),
        ("activations.log_sigmoid", "activations.softplus", "losses.log_loss",
         "activations.log_softmax"),
        ("test_activations.py::TODO",),
        play="floats",
    ),
    Part(
        "b04_practice",
        ("Practice", "Практика"),
        ("training.fit", "chain_rule.risk", "paths.fit"),
        ("test_chain_rule.py::TODO",),
    ),
)  # fmt: skip
