"""`python -m cluster.gateway`: one JSON line on stdin configures it, one on stdout says its port.

End of file on stdin means that its parent is gone, and it ends too, whatever state the parent died in.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
from pathlib import Path

from aiohttp import web

from cluster.gateway.app import Gateway
from cluster.gateway.log import log_to_stderr
from cluster.gateway.scrub import Scrubber


async def serve(config: dict[str, str]) -> None:
    scrubber = Scrubber(config["api_key"], config["admin_secret"])
    log_to_stderr(scrubber)
    gateway = Gateway(
        upstream_url=config["upstream_url"],
        api_key=config["api_key"],
        admin_secret=config["admin_secret"],
        spool=Path(config["spool"]),
        scrubber=scrubber,
    )
    runner = web.AppRunner(gateway.application(), handler_cancellation=True, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, config["host"], int(config["port"]))
        await site.start()
    except OSError as error:
        print(json.dumps({"error": f"cannot listen on {config['host']}:{config['port']}: {error.strerror}"}))
        sys.stdout.flush()
        return
    port = runner.addresses[0][1]
    print(json.dumps({"port": port}), flush=True)
    await asyncio.Event().wait()


def _end_with_parent() -> None:
    sys.stdin.read()
    os._exit(0)


configuration = json.loads(sys.stdin.readline())
threading.Thread(target=_end_with_parent, daemon=True).start()
asyncio.run(serve(configuration))
