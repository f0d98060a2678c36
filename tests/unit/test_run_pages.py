"""Single runs in the page: all that was sent and said, each text once, bounded, and harmless."""

from __future__ import annotations

import base64
import json
import re
import zlib
from pathlib import Path
from typing import Any

from analysis.read_runs import read_runs
from analysis.report import write_report
from analysis.run_pages.read import RunPages, read_run_pages
from analysis.run_pages.requests import call_data
from analysis.run_pages.texts import TextPool
from analysis.run_pages.view import left_out_sentence, runs_data
from cluster.runs_csv import write_runs_csv
from shared.calls import Call
from shared.records import CheckResult, RunKey, Status, UnsupportedClaim
from shared.store import Store
from tests.unit.analysis_rows import clean_rows, write_rows
from tests.unit.fairness_wire import AGENTS, INSTRUCTIONS, experiment, planned
from tests.unit.measured_experiment import ITEMS, stored_experiment
from tests.unit.stored_records import begun, run, verdict

EVIL = "</script><img src=x onerror=window.ran=1>"


def read(store: Store, **bounds: int | None) -> RunPages:
    write_runs_csv(store)
    return read_run_pages(read_runs(store.folder), **bounds)


def data_in(page: str) -> dict[str, Any]:
    (text,) = re.findall(r'id="run-data">([^<]+)</script>', page)
    content: dict[str, Any] = json.loads(zlib.decompress(base64.b64decode(text)))
    return content


def one_call(**fields: Any) -> Call:
    values: dict[str, Any] = {
        "sequence": 1, "kind": "model", "path": "/v1/chat/completions", "agent": "writer", "arrived_s": 1.0,
        "last_byte_s": 3.0, "status": 200, "prompt_tokens": 10, "completion_tokens": 5,
        "request": {"messages": [{"role": "user", "content": "Write."}]},
        "response": {"choices": [{"message": {"role": "assistant", "content": "Done."}}]},
    }  # fmt: skip
    return Call(**values | fields)


def test_requests_and_answers_are_read_back(tmp_path: Path) -> None:
    """Every message of a run is there with its role, and the last answer is its report's text."""
    store = experiment(tmp_path / "e", styles={"direct": planned}, tools=True)
    data = runs_data(read(store))
    page = data["pages"][0]
    roles = [[message[0] for message in call["messages"]] for call in page["calls"] if "messages" in call]
    assert roles[0] == ["system", "user"]
    said = [
        data["texts"][place] for call in page["calls"] for m in call.get("messages", ()) for place in m[1]
    ]
    assert all(INSTRUCTIONS[agent] in said for agent in AGENTS)
    tools = [call for call in page["calls"] if call["what"] == "search"]
    assert json.loads(data["texts"][tools[0]["sent"]])["query"]
    called = [data["texts"][given] for call in page["calls"] for _, given in call.get("called", ())]
    assert any("query" in given for given in called)


def test_texts_are_kept_once(tmp_path: Path) -> None:
    """What all runs are told is in the page once, however many runs there are."""
    store = experiment(tmp_path / "e", styles={"direct": planned, "langgraph": planned})
    pages = read(store)
    assert len(pages.pages) > 1
    assert len(pages.texts) == len(set(pages.texts))
    assert pages.texts.count(INSTRUCTIONS["writer"]) == 1


def test_a_long_text_is_cut_and_says_so() -> None:
    """A text beyond the bound ends with how much is missing."""
    pool = TextPool(longest=10)
    pool.place("x" * 25)
    (kept,) = pool.texts
    assert kept == "x" * 10 + "\n[15 more characters are in the records]"


def test_what_is_no_chat_is_shown_as_it_was(tmp_path: Path) -> None:
    """A body of another protocol, an answer that is no JSON and a failed call are text, and nothing raises."""
    pool = TextPool()
    odd = call_data(one_call(request={"input": [1]}, response="<html>", path="/v1/responses"), pool)
    assert pool.texts[odd["sent"]] == '{"input":[1]}'
    assert pool.texts[odd["answer"]] == "<html>"
    failed = call_data(one_call(status=500, error="HTTP 500", response={"error": "x"}), pool)
    assert (failed["status"], pool.texts[failed["error"]]) == (500, "HTTP 500")
    assert call_data(one_call(request=None, response=None), pool)["n"] == 1


def test_checks_verdicts_and_errors_are_there(tmp_path: Path) -> None:
    """A run's checks, each judge's verdict with its words, and a failed run's error are on its page."""
    store = begun(tmp_path / "e")
    good = store.write_run(run("a", text="Report."), [one_call()])
    store.write_run(run("b", status=Status.FRAMEWORK_ERROR, error="ValueError: no"), [one_call()])
    store.write_verdict(verdict(good, reasoning="Thin."))
    store.write_check(
        CheckResult(
            run_id=good.key.run_id, attempt_id=good.attempt_id, checks="t/1", sections_found=[],
            sections_missing=["Risks"], words=1, words_in_range=False, facts_found=[], facts_total=4,
            unsupported_sentences=1, unsupported=[UnsupportedClaim(sentence="It has 9.", unsupported=["9"])],
        )
    )  # fmt: skip
    data = runs_data(read(store))
    a, b = data["pages"]
    assert data["texts"][a["text"]] == "Report."
    assert ["Sections missing", "Risks"] in [list(pair) for pair in a["checks"]]
    assert ["Not in any source: 9", "It has 9."] in [list(pair) for pair in a["checks"]]
    assert data["texts"][a["verdicts"][0]["words"]] == "Thin."
    assert data["texts"][b["error"]] == "ValueError: no"
    assert [row[3] for row in data["runs"]] == [
        data["statuses"].index(s) for s in ("completed", "framework error")
    ]


def test_every_framework_and_item_comes_first(tmp_path: Path) -> None:
    """With room for few texts, each framework on each item is there before any is there twice; the rest is said."""
    plan = {"frameworks": ["direct", "crewai"], "arms": ["idiomatic"], "aa": [], "iterations": 2}
    store = stored_experiment(tmp_path, **plan)
    whole = read(store)
    assert (len(whole.pages), left_out_sentence(whole)) == (24, "")
    size = len("report 0") * 12
    some = read(store, most_characters=size)
    assert {page.place[:2] for page in some.pages[:12]} == {
        (f, i) for f in ("direct", "crewai") for i in ITEMS
    }
    assert len(some.pages) < 24
    assert f"{len(some.pages)} of 24 runs" in left_out_sentence(some)
    assert "--all-runs" in left_out_sentence(some)
    rows = runs_data(some)["runs"]
    assert (len(rows), sum(row[-1] == -1 for row in rows)) == (24, 24 - len(some.pages))
    assert len(read(store, most_characters=None).pages) == 24


def test_a_run_leads_to_its_own_page(tmp_path: Path) -> None:
    """The row of a run and the page that it points to are of the same framework, item and iteration."""
    store = stored_experiment(tmp_path, iterations=2)
    data = runs_data(read(store))
    for subject, item, iteration, *_, place in data["runs"]:
        words = data["pages"][place]["waterfall"]["words"]
        assert words.startswith(
            f"{data['subjects'][subject]} on {data['items'][item]}, iteration {iteration}, "
        )


def test_a_table_of_runs_has_none(tmp_path: Path) -> None:
    """A folder with a CSV alone has neither single runs nor a comparison, and no empty section of them."""
    path, _ = write_report(write_rows(tmp_path, clean_rows()))
    page = path.read_text(encoding="utf-8")
    assert 'id="run-data"' not in page
    assert 'id="compare"' not in page


def test_what_a_model_says_ends_no_script(tmp_path: Path) -> None:
    """Markup in a message, a report and an error reaches the page only inside the compressed text."""
    store = begun(tmp_path / "e")
    key = RunKey(framework="a", arm="idiomatic", task="t", item="x", iteration=1)
    request = {"messages": [{"role": EVIL, "content": EVIL}]}
    store.write_run(run(key=key, text=EVIL), [one_call(request=request)])
    write_runs_csv(store)
    path, _ = write_report(store.folder)
    page = path.read_text(encoding="utf-8")
    assert "<img" not in page
    assert EVIL in data_in(page)["texts"]


def test_navigation_lists_every_section(tmp_path: Path) -> None:
    """Each section with a heading has its link, in the order of the page."""
    store = stored_experiment(tmp_path)
    write_runs_csv(store)
    path, _ = write_report(tmp_path)
    page = path.read_text(encoding="utf-8")
    nav = re.search(r'<nav aria-label="Sections">(.*?)</nav>', page, re.DOTALL).group(1)  # type: ignore[union-attr]
    links = re.findall(r'<a href="#([\w-]+)">', nav)
    assert links == re.findall(r'<section id="([\w-]+)" aria-labelledby="[\w-]+">\n<h2', page)
    assert {"quality", "latency", "tokens", "fairness", "run", "compare", "methods"} <= set(links)
