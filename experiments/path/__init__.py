"""Exact penalty paths over layers, targets and folds: `python -m experiments.path`."""
