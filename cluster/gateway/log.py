"""gateway.log: one JSON object per line for each event worth one, with the ids of its run and trace."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

from cluster.gateway.lease import LeaseRequest
from cluster.gateway.parsing import dump_json
from cluster.gateway.scrub import Scrubber

_LOG = logging.getLogger("levelfield.gateway")


def note(event: str, lease: LeaseRequest | None = None, **facts: object) -> None:
    """Facts are values that JSON has; one that is None is left out."""
    _LOG.info(event, extra={"facts": {**_ids(lease), **facts}})


def note_failure(event: str, lease: LeaseRequest | None = None, **facts: object) -> None:
    """Of our own, with the traceback of the exception that is being handled."""
    _LOG.exception(event, extra={"facts": {**_ids(lease), **facts}})


def log_to_stderr(scrubber: Scrubber) -> None:
    """What libraries have to say comes in the same form."""
    handler = logging.StreamHandler()
    handler.setFormatter(_JsonLines(scrubber))
    logging.basicConfig(handlers=[handler], level=logging.WARNING)
    _LOG.setLevel(logging.INFO)


class _JsonLines(logging.Formatter):
    def __init__(self, scrubber: Scrubber) -> None:
        super().__init__()
        self._scrubber = scrubber

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **{name: fact for name, fact in getattr(record, "facts", {}).items() if fact is not None},
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return dump_json(self._scrubber.scrubbed(line)).decode()


def _ids(lease: LeaseRequest | None) -> dict[str, object]:
    if lease is None:
        return {}
    return {"run_id": lease.run_id, "attempt_id": lease.attempt_id, "trace_id": lease.trace_id}
