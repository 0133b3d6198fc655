"""What people run: a folder for each command, and a kit that they share."""

import time

STARTED = time.perf_counter()  # what a command says of its time begins here
