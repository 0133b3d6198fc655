"""Errors in the last place, and where formulas die."""
