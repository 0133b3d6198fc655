"""Which optimizer, on which data: `python -m experiments.optimizers`."""
