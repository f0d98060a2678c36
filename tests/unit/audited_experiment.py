"""Judges of known character behind a real server, and their audits."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from analysis.audit import audit_judges
from analysis.audit_result import Audit
from cluster.audit_jobs import AuditJob, audit_jobs
from judge.chat import JudgeEndpoint
from judge.damage_words import ORDERS, PRAISE
from shared.defects import ALL, DEFECTS
from shared.judgement_store import Judgements
from shared.store import Store
from tests.unit.judged_experiment import add_report, experiment
from tests.unit.stored_records import begun

JUDGE = "openai:judge"

Scores = Mapping[str, int]
Character = Callable[[str, str], Scores | str]
"""(the whole prompt, the report in it) -> scores, or any other answer."""

REPORT = """## Executive Summary

Stripe was founded in 2010 by the Collison brothers. Its payment volume was $1.4 trillion in 2024, up 38%. {own}

## Products & Services

Stripe Payments accepts more than 135 currencies. Connect moves money for platforms, Billing sends invoices.

## Market Position

Rivals such as Adyen and Checkout.com fight for large shops, where price per transfer decides. {own}

## Key Insights

Stablecoins may cut the cost of moving money abroad, so buying Bridge protects the margin on foreign payments.

## Conclusion

Growth is likely to come from large firms rather than from start-ups, which it has won already. {own}
"""


def reports(count: int) -> list[str]:
    """Distinct texts on Stripe, each with a place for every defect."""
    return [
        REPORT.format(own=f"Report {place} adds a view of its own on partner {place}.")
        for place in range(count)
    ]


def store_of(folder: Path, *texts: str, framework: str = "direct") -> Store:
    store = begun(folder)
    for place, text in enumerate(texts, start=1):
        add_report(store, framework, text, iteration=place)
    return store


def audited(folder: Path, character: Character, *, count: int = 8, repeats: int = 2) -> Audit:
    store = audited_store(folder, character, count=count, repeats=repeats)
    return audit_judges(Judgements(store.folder).audits())[JUDGE]


def audited_store(folder: Path, character: Character, *, count: int = 8, repeats: int = 2) -> Store:
    store = store_of(folder, *reports(count))
    with serving(character) as endpoint:
        for job in questions(store, repeats=repeats):
            Judgements(store.folder).write_audit(job.ask(endpoint, JUDGE))
    return store


def questions(store: Store, *, most: int = 12, repeats: int = 2) -> list[AuditJob]:
    """What is owed to the audit; what cannot be planted is recorded."""
    owed, refused = audit_jobs(store, experiment(judge_model=JUDGE), JUDGE, reports=most, repeats=repeats)
    for record in refused:
        Judgements(store.folder).write_audit(record)
    return owed


def sees_all(folder: Path) -> Character:
    """Knows every copy that the audit of this many reports makes, and lowers what its defect must lower."""
    known = {job.job.text: job.defect for job in questions(store_of(folder, *reports(8)))}

    def judge(_: str, report: str) -> Scores:
        defect = known[report]
        meant = DEFECTS[defect].lowers if defect else None
        return {name: 4 if name == meant else 8 for name in ALL}

    return judge


def sees_nothing(_: str, __: str) -> Scores:
    return dict.fromkeys(ALL, 9)


def guesses(prompt: str, _: str) -> Scores:
    """Anything, by the digest of all that it was told."""
    drawn = hashlib.sha256(prompt.encode()).digest()
    return {name: 1 + drawn[place] % 10 for place, name in enumerate(ALL)}


def obeys_reports(_: str, report: str) -> Scores:
    sways = any(note in report for note in (*ORDERS, *PRAISE))
    return dict.fromkeys(ALL, 10 if sways else 6)


def believes_praise(_: str, report: str) -> Scores:
    """Of accuracy alone."""
    sways = any(note in report for note in (*ORDERS, *PRAISE))
    return {**dict.fromkeys(ALL, 6), "accuracy": 8 if sways else 6}


def likes_length(_: str, report: str) -> Scores:
    return dict.fromkeys(ALL, min(10, len(report.split()) // 20))


def refuses(_: str, __: str) -> str:
    return "I would rather not say."


@contextmanager
def serving(character: Character) -> Iterator[JudgeEndpoint]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            prompt = "\n".join(message["content"] for message in asked["messages"])
            answer = character(prompt, _report_in(prompt))
            if not isinstance(answer, str):
                answer = json.dumps({"reasoning": "", **answer, "overall": 5})
            body = json.dumps({"choices": [{"message": {"content": answer}}]}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield JudgeEndpoint(f"http://127.0.0.1:{server.server_port}/v1", "m", timeout_s=10)
    finally:
        server.shutdown()
        server.server_close()


def _report_in(prompt: str) -> str:
    found = re.search(r"<(REPORT \w+)>\n(.*)\n</\1>", prompt, re.DOTALL)
    assert found
    return found[2]
