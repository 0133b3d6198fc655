"""The penalised linear problem, said once: its loss, rows, folds, objective and intercepts."""
