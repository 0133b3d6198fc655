"""Scripts people run: sweeps, tables, figures, benchmarks."""
