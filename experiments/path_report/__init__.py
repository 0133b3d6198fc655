"""What exact paths found, told to a person: `write` makes the page, `board` the plain text."""

from experiments.path_report.choices import board
from experiments.path_report.page import write
from experiments.path_report.sentences import factors

__all__ = ["board", "factors", "write"]
