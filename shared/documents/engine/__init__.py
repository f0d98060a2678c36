"""Reads documents, indexes and searches them; runs in the environment `documents`."""
