"""Penalty paths measured: beside other libraries, and on a zoo of problems."""
