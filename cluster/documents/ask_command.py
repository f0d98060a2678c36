"""`levelfield ask QUESTION`."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from cluster.documents.answer_question import Answered, answer_question
from cluster.documents.show_answer import show_answer, shown_as_json, warnings
from cluster.judge_servers import subject_options
from cluster.servers import ModelServer, open_server
from judge.chat import JudgeEndpoint
from shared.documents.engine_process import DocumentSearch
from shared.documents.index_place import find_index
from shared.documents.passage import Numbered, numbered
from shared.errors import JudgeUnavailable, ServerUnavailable, SettingsError
from shared.settings import REPLAY, load_settings

MAX_ANSWER_TOKENS = 400
ANSWER_TIMEOUT_S = 600.0
"""A small model on two cores reads five passages in about 20 s."""
MAX_QUESTION_CHARS = 2000


def ask_command(
    question: str, index: str | None, model: str | None, console: Console, *, most: int, as_json: bool
) -> int:
    """The exit code: 0 with an answer that cites; 1 when nothing is found, or what it cites does not hold."""
    wanted = _checked(question)
    place = find_index(index)
    settings = load_settings({"llm_model": model})
    if settings.llm_model.startswith(f"{REPLAY}:"):
        raise SettingsError("A recording answers no new questions: name a model with --model.")
    status = Console(stderr=True)
    with tempfile.TemporaryDirectory(prefix="levelfield-ask-") as logs:
        server = open_server(settings.llm_model, subject_options(settings, Path(logs)))
        with DocumentSearch(place) as search:
            passages = numbered(search.find(wanted, most))
        try:
            with status.status("Starting the model", spinner="dots") as shown:
                server.start()
                shown.update("Reading the passages")
                answered = _answered(wanted, passages, server)
        finally:
            server.stop()
    if as_json:
        print(json.dumps(shown_as_json(wanted, place, settings.llm_model, answered, passages), indent=2))
    else:
        show_answer(console, answered, passages, place.name, server.identity().caveat)
    return int(bool(warnings(answered, passages)) or answered.not_found)


def _checked(question: str) -> str:
    text = " ".join(question.split())
    if not text:
        raise SettingsError('The question is empty: levelfield ask "What does the contract say about ...?"')
    if len(text) > MAX_QUESTION_CHARS:
        raise SettingsError(
            f"The question has {len(text):,} characters; {MAX_QUESTION_CHARS:,} are the most."
        )
    return text


def _answered(question: str, passages: Sequence[Numbered], server: ModelServer) -> Answered:
    endpoint = JudgeEndpoint(
        base_url=server.base_url,
        model=server.served_model,
        api_key=server.api_key,
        timeout_s=ANSWER_TIMEOUT_S,
        max_tokens=MAX_ANSWER_TOKENS,
    )
    try:
        return answer_question(question, passages, endpoint)
    except JudgeUnavailable as error:
        raise ServerUnavailable(str(error)) from None
