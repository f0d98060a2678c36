"""The embedded model server's own process: `python llamacpp_main.py`, in the llamacpp environment.

Runs where Levelfield is not installed, so it needs only the standard library and xllamacpp. One JSON line on
stdin says what to serve, one JSON line on stdout says where; end of file on stdin means that the parent has
gone, and so does this process, whatever state the parent died in.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from importlib.metadata import version
from typing import Any

import xllamacpp


def main() -> None:
    config = json.loads(sys.stdin.readline())
    threading.Thread(target=_exit_with_parent, daemon=True).start()
    # llama.cpp logs to both streams: what the parent reads must be ours alone.
    answer_fd = os.dup(1)
    os.dup2(2, 1)
    server = xllamacpp.Server(_parameters(config))
    ready = {
        "url": server.listening_address,
        "version": version("xllamacpp"),
    }
    with os.fdopen(answer_fd, "w") as answer:
        answer.write(json.dumps(ready) + "\n")
    threading.Event().wait()


def _exit_with_parent() -> None:
    sys.stdin.read()
    # The server's threads would keep an ordinary exit waiting for a generation to end.
    os._exit(0)


def _parameters(config: dict[str, Any]) -> Any:
    parameters = xllamacpp.CommonParams()
    parameters.model.path = config["model_path"]
    for name, value in config["flags"].items():
        owner: Any = parameters
        *parents, leaf = name.split(".")
        for parent in parents:
            owner = getattr(owner, parent)
        setattr(owner, leaf, value)
    parameters.model_alias = {config["alias"]}
    return parameters


if __name__ == "__main__":
    main()
