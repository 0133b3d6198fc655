"""One exercise at the end of each part, for the student to do in its file.

`.venv/bin/python -m pytest experiments/lecture/exercises` says which are done, `-k a10` asks for
one, and `--solutions` runs the same tests on our own answers.
"""
