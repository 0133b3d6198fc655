"""Two result folders side by side: `python -m experiments.compare A B`."""
