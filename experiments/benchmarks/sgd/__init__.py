"""Sweeps of SGD, and steps of optimizers, measured beside other libraries."""
