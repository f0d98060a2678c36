"""Answers that are the gateway's own, in the shape that OpenAI clients understand."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web


@dataclass(frozen=True, slots=True)
class Refusal:
    status: int
    """Below 500 and neither 408, 409 nor 429 where a repetition cannot help: clients repeat those."""
    code: str
    message: str

    def response(self) -> web.Response:
        kind = "invalid_request_error" if self.status < 500 else "server_error"
        error = {"message": self.message, "type": kind, "code": self.code, "param": None}
        return web.json_response({"error": error}, status=self.status)


UNKNOWN_RUN = Refusal(403, "unknown_run", "No run has this address. It may have ended: start a new run.")
EXPIRED = Refusal(403, "run_deadline", "This run's time is over: the gateway takes no more of its calls.")
CLOSED = Refusal(403, "run_closed", "This run was closed while the call was under way.")
MODEL_CALLS = Refusal(403, "model_call_budget", "This run has used all the model calls its plan allows.")
COMPLETION_TOKENS = Refusal(
    403, "completion_token_budget", "This run has used all the completion tokens its plan allows."
)
