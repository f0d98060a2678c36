"""`levelfield index` and `levelfield ask`: people's own documents, indexed and asked."""
