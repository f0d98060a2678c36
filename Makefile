# Levelfield. `make` alone explains the targets.
.DEFAULT_GOAL := help
