"""The benchmark of judging: its arithmetic, its reports, its floor, and the mock that answers in turn."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks.chat_client import ChatClient, chat_body
from benchmarks.judging import FLOOR, LEAN, OURS, Service, _figures, _goals, _judged, _task, _tried
from benchmarks.judging_plain import body
from benchmarks.judging_reports import own_verdicts, report_set, write_experiment
from benchmarks.judging_run import Judged, Sample, _by_group, watched
from benchmarks.judging_ways import Task, Way, plain
from benchmarks.line_process import ProcessFailed
from benchmarks.mock import Behaviour, Mock, Stamp, running_mock
from benchmarks.peers import Peers
from benchmarks.session import Session
from cluster.experiment import describe_experiment
from cluster.progress import RunProgress
from judge.chat import JudgeEndpoint
from judge.judge_report import judge_report
from shared.errors import InternalError
from shared.settings import load_settings
from shared.store import Store
from tests.unit.stored_records import verdict
from tests.unit.upstream import FakeServer

RUBRIC = report_set(0).rubric


@pytest.fixture(scope="module")
def mock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mock]:
    with running_mock(tmp_path_factory.mktemp("mock")) as started:
        yield started


def _stamp(arrived: float, last: float | None) -> Stamp:
    return Stamp(kind="judge", streamed=False, arrived=arrived, first=last, last=last)


def _eight(calls: int = 1, *, cpu_per_s: float = 0.4) -> Judged:
    """The first answer takes four seconds, the others come one a second; processor time grows steadily."""
    stamps = [_stamp(10, 14), *(_stamp(13 + number, 14 + number) for number in range(1, 8))]
    samples = [Sample(at, {"a": cpu_per_s * at, "b": 5.0}) for at in (9, 13, 20, 22)]
    return Judged(stamps, samples, calls)


def test_verdicts_per_second_from_first_request_to_last_answer() -> None:
    """Eight answers in eleven seconds; the middle half of them leaves the slow start out."""
    assert _eight().verdicts_per_s == pytest.approx(8 / 11)
    assert _eight().steady_verdicts_per_s == pytest.approx(1)
    assert _eight(calls=4).verdicts_per_s == pytest.approx(2 / 11)
    assert _eight(calls=4).steady_verdicts_per_s == pytest.approx(0.25)


def test_requests_in_flight_are_counted() -> None:
    """Three requests overlap, one of them until the end; one that comes as another is answered does not."""
    stamps = [_stamp(0, 9), _stamp(1, 3), _stamp(2, 4), _stamp(4, 5), _stamp(5, 6)]
    assert Judged(stamps, [], 1).most_in_flight == 3
    assert Judged(stamps[3:], [], 1).most_in_flight == 1


def test_more_requests_than_agreed_are_no_measurement(mock: Mock, tmp_path: Path) -> None:
    """A subject that has more requests in flight than the others is refused, however fast it is."""
    service, greedy = Service(0.2, 1, 4), plain(RUBRIC)

    def judge(task: Task, count: int) -> list[Sample]:
        return greedy.judge(replace(task, parallel=2), count)

    with pytest.raises(InternalError, match="2 requests were in flight, not 1"):
        _judged(mock, service, replace(greedy, judge=judge), _task(mock, service, tmp_path / "work"))


def test_processor_time_is_read_between_samples() -> None:
    """Of a process that takes 0.4 s each second, a call each second costs 400 ms; an idle one costs none."""
    assert _eight().call_ms == pytest.approx({"a": 400, "b": 0})


def test_rays_processes_are_counted_together() -> None:
    """Ray's workers change their names with what they do: under one name, nothing is lost or counted twice."""
    found = _by_group({"ray::IDLE": 1, "ray::_judge": 2, "/x/raylet": 4, "/x/gcs_server": 8, "cluster": 16})
    assert found == {"Ray's workers": 3, "Ray itself": 12, "cluster": 16}


def test_goals_of_judging() -> None:
    """Our rate is held against the plain client's, our processor time per verdict against GEval's five calls."""
    figures = list(
        _figures(
            "slow",
            {FLOOR: [_eight()], OURS: [_eight(cpu_per_s=0.8)], LEAN: [_eight(calls=5, cpu_per_s=0.2)]},
        )
    )
    shares = {made.name: made.of for made in figures}
    assert shares["slow: processor per verdict"][LEAN].median == pytest.approx(1000)
    assert shares["slow: per call"][LEAN].median == pytest.approx(200)
    assert [(goal.met, goal.found) for goal in _goals(figures)] == [(True, "1.00"), (True, "0.80 of it")]


def test_goal_beside_a_missing_deepeval_is_undecided() -> None:
    """Without its figures the goal that names it is neither met nor missed; the other is decided."""
    slow = Judged([_stamp(0, 14), *_eight().stamps[1:]], _eight().samples, 1)
    figures = list(_figures("slow", {FLOOR: [_eight()], OURS: [slow]}))
    assert [goal.met for goal in _goals(figures)] == [False, None]


def test_mock_makes_so_many_answers_at_once(mock: Mock) -> None:
    """Of six requests at the same time two are answered together, the next two after them, and the last two then."""
    mock.behave(Behaviour(wait_s=0.1, at_once=2, answer="{}"))

    def ask(_: int) -> None:
        with ChatClient(mock.base_url) as client:
            client.complete(chat_body(stream=False))

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(ask, range(6)))
    stamps = mock.account().stamps
    began = min(stamp.arrived for stamp in stamps)
    answered = sorted(stamp.last - began for stamp in stamps if stamp.last is not None)
    assert len(answered) == 6
    assert answered[2] >= 0.2
    assert answered[4] >= 0.3


def test_every_report_is_one_to_judge(tmp_path: Path) -> None:
    """The folder is an experiment that `levelfield judge` reads: complete runs, no two texts alike, none judged."""
    write_experiment(tmp_path / "e", report_set(5))
    store = Store.existing(tmp_path / "e")
    manifest, runs = store.manifest(), store.runs()
    experiment = describe_experiment(manifest.plan, load_settings(manifest.settings))
    assert {record.status for record in runs} == {"completed"}
    assert len({record.text for record in runs}) == 5
    assert experiment.task_of(runs[0].key).rubric == RUBRIC
    assert own_verdicts(tmp_path / "e") == 0


def test_verdicts_that_count_are_a_reports_own(tmp_path: Path) -> None:
    """A failure and a verdict taken over from the same text are not counted."""
    write_experiment(tmp_path / "e", report_set(3))
    store = Store(tmp_path / "e")
    own, failed, shared = store.runs()
    store.write_verdict(verdict(own))
    store.write_verdict(verdict(failed, scored=False, scores={}))
    store.write_verdict(verdict(shared, same_text_as=own.key.run_id))
    assert own_verdicts(tmp_path / "e") == 1


def test_plain_client_sends_what_our_judge_sends() -> None:
    """The floor's request is the judge's own, so that both give the server the same work."""
    judged, server = report_set(1), FakeServer()
    config = judged.config(server.url, parallel=1, count=1)
    try:
        judge_report(
            judged.texts[0],
            run_id="r",
            attempt_id="a",
            description=judged.description,
            rubric=judged.rubric,
            evidence=judged.evidence,
            checks=judged.checks,
            endpoint=JudgeEndpoint(base_url=server.url, model=config["model"]),
            judge_name="j",
        )
        assert server.bodies[0] == body(config, judged.rubric, judged.texts[0])
    finally:
        server.stop()


def test_plain_client_judges_every_report(mock: Mock, tmp_path: Path) -> None:
    """As a process of its own, with as many requests in flight as asked for; its verdicts are in a file."""
    service = Service(0.1, 2, 8)
    task = _task(mock, service, tmp_path / "work")
    judged = _judged(mock, service, plain(RUBRIC), task)
    (written,) = task.folder.glob("*.jsonl")
    verdicts = [json.loads(line) for line in written.read_text(encoding="utf-8").splitlines()]
    assert [found["accuracy"] for found in verdicts] == [7] * 8
    assert len(judged.stamps) == 8
    assert 0 < judged.verdicts_per_s <= 20
    assert set(judged.call_ms) == {"benchmarks.judging_plain"}


def test_answers_that_are_no_verdicts_are_no_measurement(mock: Mock, tmp_path: Path) -> None:
    """A subject that fails is an error with the end of its log, and never a rate."""
    service = Service(0, 2, 4)
    useless = Way(1, 1, "no JSON", plain(RUBRIC).judge)
    with pytest.raises(ProcessFailed, match="JSONDecodeError"):
        _judged(mock, service, useless, _task(mock, service, tmp_path / "work"))


def test_processes_are_watched_to_their_end(tmp_path: Path) -> None:
    """The samples of a command grow by what it burns; a command that fails is an error."""
    burn = "import time\nwhile time.process_time() < 1.2: pass"
    samples = watched([sys.executable, "-c", burn], {}, tmp_path / "log", tmp_path)
    spent = [sum(sample.cpu_s.values()) for sample in samples]
    assert len(samples) >= 2
    assert 0.2 < spent[-1] - spent[0] <= 1.5
    with pytest.raises(ProcessFailed, match=r"ended with 3\.\nbad"):
        watched([sys.executable, "-c", "print('bad'); raise SystemExit(3)"], {}, tmp_path / "other", tmp_path)


def test_judging_is_measured_without_the_peer(
    mock: Mock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When DeepEval cannot be built, it is missing with the reason, and no exception ends the benchmark."""
    (tmp_path / "cache").write_text("a file where a folder should be", encoding="utf-8")
    monkeypatch.setenv("LEVELFIELD_CACHE", str(tmp_path / "cache"))
    session = Session(tmp_path, RunProgress(Console(file=StringIO())))
    with ExitStack() as stack:
        peers = Peers(session, stack)
        assert peers.enter(LEAN, _tried(session, mock, RUBRIC, LEAN)) is None
    assert "LEVELFIELD_CACHE" in peers.missing[LEAN]
