"""Which requests of a lease repeat an earlier one: traffic, but not one more call of the plan's."""

from __future__ import annotations

Fingerprint = tuple[str, bytes]
"""Path and body. The bytes themselves: a client that tries again sends the same."""


class Retries:
    """Of one lease."""

    def __init__(self) -> None:
        self._sent: dict[Fingerprint, int] = {}
        self._failed: dict[Fingerprint, int] = {}
        self._latest: int | None = None

    def repeated_by(self, sequence: int, sent: Fingerprint, *, says_so: bool) -> int | None:
        """Sequence of the call that this one repeats, or None.

        Args:
            sequence: Of this call.
            sent: What was sent.
            says_so: Whether the client calls it a retry. It may have given up a call that did not fail.
        """
        earlier = self._failed.get(sent)
        if earlier is None and says_so:
            earlier = self._sent.get(sent, self._latest)
        self._sent[sent] = self._latest = sequence
        return earlier

    def failed(self, sequence: int, sent: Fingerprint) -> None:
        self._failed[sent] = sequence
