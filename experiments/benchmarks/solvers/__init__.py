"""Evaluations to the minimum, beside scipy."""
