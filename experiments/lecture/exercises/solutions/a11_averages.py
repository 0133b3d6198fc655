"""A11, solved."""

import numpy as np


def averages(labels, predicted, num_classes):
    """Micro and macro F1, from the counts of each class against the rest."""
    classes = np.arange(num_classes)[:, None]
    is_class, is_said = np.asarray(labels) == classes, np.asarray(predicted) == classes  # [K, N]
    tp = (is_class & is_said).sum(axis=1)
    fp, fn = (~is_class & is_said).sum(axis=1), (is_class & ~is_said).sum(axis=1)
    return _f1(tp.mean(), fp.mean(), fn.mean()), _f1(tp, fp, fn).mean()


def _f1(tp, fp, fn):
    return 2 * tp / np.maximum(2 * tp + fp + fn, 1e-9)
