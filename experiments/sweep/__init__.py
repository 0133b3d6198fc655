"""One compiled sweep of SGD over a design of settings: `python -m experiments.sweep`."""
