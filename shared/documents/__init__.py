"""Search in people's own documents: an index of a folder, its passages, and how an answer cites them.

What reads documents and searches them is `engine`. It runs in the environment `documents`, in a process of
its own; everything else here needs only the project's environment.
"""
