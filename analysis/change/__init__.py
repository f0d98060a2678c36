"""Two experiments side by side: what changed (`diff`), and whether anything got worse (`gate`).

`command.py` is where both begin.
"""
