"""Several tasks in one experiment: each by itself, and what holds in all of them. Nothing is pooled."""
