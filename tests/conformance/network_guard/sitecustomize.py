"""Python imports this at start-up when its folder is on the path: nothing but this machine may be contacted."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

_LOCAL = {"127.0.0.1", "::1", "localhost", "", None}


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect":
        address = arguments[1]
    elif event == "socket.getaddrinfo":
        address = arguments
    else:
        return
    if not isinstance(address, tuple):  # a unix socket
        return
    host = address[0].decode() if isinstance(address[0], bytes) else address[0]
    if host not in _LOCAL:
        with Path(os.environ["CONTACTED"]).open("a", encoding="utf-8") as log:
            log.write(f"{event} {host}\n")
        raise ConnectionRefusedError(f"{event}: {host} is not this machine")


sys.addaudithook(_refuse)
