"""Which framework for whom: a choice per priority, with its evidence and its certainty, or none."""
