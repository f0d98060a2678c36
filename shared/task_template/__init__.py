"""What `levelfield task new` copies: a small task that runs as it is."""
