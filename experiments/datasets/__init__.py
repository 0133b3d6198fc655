"""Data sets for the experiments: scikit-learn's own, or any file, as one kind of table."""

from experiments.datasets.builtin import BUILTIN
from experiments.datasets.encode import Encoded, Encoder, encode
from experiments.datasets.errors import DataError
from experiments.datasets.load import load
from experiments.datasets.table import Table

__all__ = ["BUILTIN", "DataError", "Encoded", "Encoder", "Table", "encode", "load"]
