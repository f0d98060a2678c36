"""`python -m benchmarks --help`."""

from benchmarks.cli import run

run()
