"""Every published protocol by its name, and the options that its rule leaves open."""

from typing import NamedTuple

# What a rule fixes: these options are refused beside it, but for those that it takes.
FIXED = ("lambdas", "lambda_max", "lambda_min", "l1_ratio", "folds", "rule", "metric", "scaling")
FIXED += ("weights", "intercept", "class_weight")
# Options that only some protocols have.
OWN = ("per_label", "solver", "few_shot", "tries", "penalty", "epochs", "iterations", "batch_size")
FILES = ("test", "test_labels", "validation", "validation_labels")


class Protocol(NamedTuple):
    """A protocol in a sentence; its module is of its name, with _ for -.

    Attributes:
      about: what it does, for `--help`.
      takes: options of the command that are arguments of its `run`.
      needs_test: whether there must be test rows.
      several_labels: whether rows may have several labels each.
      unit_rows: whether what is published is of rows of length 1.
      is_path: whether `experiments.path` itself is its module, which splits the rows of one file.
    """

    about: str
    takes: tuple[str, ...] = ()
    needs_test: bool = True
    several_labels: bool = False
    unit_rows: bool = False
    is_path: bool = False


PROTOCOLS = {
    "mteb": Protocol(
        "ten draws of --per-label rows a label, C = 1, the mean accuracy on all test rows",
        ("per_label", "solver", "class_weight", "tol"),
        unit_rows=True,
    ),
    "dinov3": Protocol(
        "45 values of C on a tenth of every class, refitted with the first best on all;"
        " --few-shot, --tries and --metric are its own options",
        ("metric", "few_shot", "tries", "class_weight", "tol"),
        several_labels=True,
    ),
    "clip": Protocol(
        "the linear probe of Radford et al. 2021: features as they are, ridge, 96 values of"
        " scikit-learn's C = 1/(lambda x rows) from 1e-6 to 1e6, chosen by accuracy on one"
        " validation split (a fifth of the training rows), refitted with that C on all of them;"
        " all 96 are solved, the paper's own search looks at fewer",
        ("intercept", "weights", "class_weight", "tol"),
        is_path=True,
    ),
    "clip-benchmark": Protocol(
        "97 weight decays of AdamW as lanes, the best on --validation rows refitted with those too",
        ("epochs", "batch_size", "tol"),
    ),
    "dinov2-heads": Protocol(
        "13 learning rates of SGD as lanes, the best head", ("iterations", "batch_size")
    ),
    "senteval": Protocol(
        "C on ten folds, or on --validation rows, by accuracies rounded as published; without"
        " --test ten folds test",
        ("tol",),
        needs_test=False,
    ),
    "sae-probes": Protocol(
        "two classes, ten values of C, chosen by AUC on folds that the row count decides",
        ("penalty", "tol"),
        needs_test=False,
    ),
}


def told() -> str:
    """What `--help` says of the protocols."""
    each = "; ".join(f"{name}: {protocol.about}" for name, protocol in PROTOCOLS.items())
    return f"{each}. What a protocol fixes is refused beside it."
