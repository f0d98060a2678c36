"""One run: its requests traced to where they come from, checked and counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from analysis.fairness.compose import Composition, compose, measure
from analysis.fairness.known_texts import KnownTexts
from analysis.fairness.messages import Conversation, as_json
from analysis.fairness.request_checks import check_request
from analysis.fairness.result import Code, Where
from analysis.fairness.rules import severity_of
from analysis.fairness.steps import Request, lay_out
from analysis.fairness.tally import Served, Tally
from analysis.fairness.template import fold_rounds, template_of
from analysis.fairness.tool_checks import Difference
from analysis.fairness.visible import visible
from analysis.fairness.yardstick import Yardstick
from shared.calls import Call
from shared.packing import text_digest
from shared.records import RunRecord, Status


class RunExamination:
    """Adds one run to the tally; what it may be made of grows as its calls go by."""

    def __init__(self, record: RunRecord, yardstick: Yardstick, tally: Tally) -> None:
        item = (record.key.task, record.key.item)
        self._record = record
        self._treated = (record.key.framework, record.key.arm)
        self._brief = yardstick.briefs[item]
        self._is_known = item not in yardstick.unknown
        self._judges_framing = record.key.arm != "equalised" or yardstick.knows_hand_over(item)
        self._known = KnownTexts(self._brief)
        self._tally = tally
        self._counts = tally.treatment(self._treated)

    def examine(self, calls: Sequence[Call]) -> None:
        self._counts.runs += 1
        laid_out = lay_out(calls, self._brief, list(self._record.agent_outputs))
        requests = {request.call.sequence: request for request in laid_out}
        if not requests:
            self._tally.silent[self._record.key.framework] += 1
            return
        for call in calls:
            request = requests.get(call.sequence)
            if request:
                self._examine_request(request)
            else:
                self._take_result(call)
        if self._record.status is Status.COMPLETED:
            asked = {request.agent for request in laid_out}
            # Where agents hand over, whom the model never chose has no step.
            for agent in self._brief.agents[: 1 if self._brief.hands_over else None]:
                if agent.name not in asked:
                    where = self._where(None, agent.name)
                    self._find("prompt_missing", Difference(f"the {agent.name}'s whole step"), where)

    def _examine_request(self, request: Request) -> None:
        where = self._where(request.call, request.agent)
        self._count(request)
        composition = None
        if request.conversation is not None:
            self._count_parameters(request.call, request.conversation, where)
            composition = compose(request.conversation, self._brief.agent(request.agent), self._known)
        for code, difference in check_request(request, composition, self._brief):
            self._find(code, difference, where)
        if composition is not None and request.kind != "retry":
            self._trace(request, composition, where)
        if request.answer:
            self._known.add_answer(request.agent, request.answer)

    def _trace(self, request: Request, composition: Composition, where: Where) -> None:
        key = self._record.key
        if self._is_known:
            made = measure(composition, request.agent)
            self._counts.add_made(request.agent or "", made)
            if made.framing and request.agent is not None and self._judges_framing:
                self._find("framing", Difference("", seen=visible(_framing(composition))), where)
        if request.kind == "step" and request.agent is not None:
            # Where nobody knows what was handed over, one item's texts cannot be told from another's.
            place = key.task if self._is_known else f"{key.task}, {key.item}"
            parts = fold_rounds(composition)
            step = self._tally.step((place, key.arm, request.agent, request.number))
            step.add(key.framework, key.item, template_of(parts), parts, where)

    def _count(self, request: Request) -> None:
        counts, call = self._counts, request.call
        counts.calls += 1
        counts.hidden_calls += request.kind == "hidden"
        counts.retries += request.kind == "retry"
        counts.streamed += call.streamed
        if call.client:
            counts.add_client(visible(call.client, 120))
        if request.conversation is None:
            reason = f"what requests to {visible(call.path, 60)} hold, which are no chat completions"
            self._tally.unchecked[reason] += 1

    def _count_parameters(self, call: Call, conversation: Conversation, where: Where) -> None:
        messages = conversation.messages
        self._counts.assistant_endings += bool(messages) and messages[-1].role == "assistant"
        self._tally.normalised.update(conversation.normalised)
        self._tally.chats[self._treated] += 1
        for name, value in call.request.items():
            if name != "messages" and value is not None:
                self._tally.add_value(self._treated, visible(name, 60), value, where)

    def _take_result(self, call: Call) -> None:
        """What a tool said to this question; one that broke down said nothing."""
        self._counts.tool_calls += 1
        if call.status >= 500 or not isinstance(call.response, str):
            return
        self._known.add_result(call.response)
        key, digest = self._record.key, text_digest(call.response)
        question = (f"{key.task}/{key.item}", call.path, as_json(call.request))
        served = self._tally.served.setdefault(question, Served())
        served.subjects.setdefault(digest, Counter())[self._treated] += 1
        served.where.setdefault((digest, self._treated), self._where(call, call.agent))

    def _find(self, code: Code, difference: Difference, where: Where) -> None:
        severity = severity_of(code, self._record.key.arm)
        self._tally.find(code, severity, self._treated, difference, where=where)

    def _where(self, call: Call | None, agent: str | None) -> Where:
        return Where(
            run_id=self._record.key.run_id,
            attempt=self._record.attempt,
            call=call.sequence if call else None,
            agent=agent,
        )


def _framing(composition: Composition) -> str:
    """All that the framework put in, a line for each stretch."""
    added = [
        *(piece.text for piece in composition.pieces() if piece.source == "framing"),
        *(text for piece in composition.pieces() for mark, text in piece.edits if mark == "added"),
        *(f"{key}: {value}" for part in composition.parts for key, value in part.extras),
    ]
    return "\n".join(added)
