"""An experiment's records for other tools: tidy tables, and the log format of Inspect."""
