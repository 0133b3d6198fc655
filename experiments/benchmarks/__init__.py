"""Benchmarks: never timed tests, always ratios in one run."""
