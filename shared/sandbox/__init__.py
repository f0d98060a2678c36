"""Runs programs that a model wrote, shut away from the machine. `run_program` is the way in."""
