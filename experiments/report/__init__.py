"""What a sweep found, told to a person: `write` makes the page, `leaderboard` the plain text."""

from experiments.report.leaderboard import leaderboard
from experiments.report.page import write

__all__ = ["leaderboard", "write"]
