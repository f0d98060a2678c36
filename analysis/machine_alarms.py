"""What to distrust in the times: drift of the model or the machine."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.alarm import alarm
from analysis.name_columns import has_report
from analysis.read_runs import Runs
from analysis.result import Alarm
from analysis.wire_result import Drift, Probes, RunRate
from analysis.wording import plural

DRIFT_RATIO = 2.0
"""Tokens per second vary a little with the length of the context; twice is another machine or load."""
PROBE_DRIFT_RATIO = 1.25
"""The same request on the same model: only the machine can make a difference."""
SAME_TEXT_LATENCY_RATIO = 1.2


def machine_alarms(runs: Runs, drift: Drift) -> Iterator[Alarm]:
    yield from _decode_rate(runs, drift)
    if drift.probes:
        yield from _probes(drift.probes)
    yield from _same_text_latency(runs)


def _decode_rate(runs: Runs, drift: Drift) -> Iterator[Alarm]:
    slowest, fastest = drift.slowest, drift.fastest
    if slowest is None or fastest is None or (drift.ratio or 0) < DRIFT_RATIO:
        yield from _call_rate(drift)
        return
    low, high = slowest.tokens_per_s, fastest.tokens_per_s
    yield alarm(
        "decode_rate_drift",
        "high",
        f"The implied decode rate runs from {low:.1f} to {high:.1f} tokens/s on what is said to be one model "
        f"({_named(runs, slowest)} and {_named(runs, fastest)}): latency compares loads or machines as well "
        "as frameworks.",
        slowest_tokens_per_s=low,
        fastest_tokens_per_s=high,
        ratio=drift.ratio,
        slowest=slowest.model_dump(),
        fastest=fastest.model_dump(),
        basis=drift.basis,
    )


def _call_rate(drift: Drift) -> Iterator[Alarm]:
    """What evens out over a run and shows in its calls."""
    low, high = drift.slowest_call_tokens_per_s, drift.fastest_call_tokens_per_s
    if low and high and high / low >= DRIFT_RATIO:
        yield alarm(
            "decode_rate_drift",
            "high",
            f"Single model calls were decoded at {low:.1f} to {high:.1f} tokens/s on what is said to be one "
            "model: latency compares loads or machines as well as frameworks.",
            slowest_tokens_per_s=low,
            fastest_tokens_per_s=high,
            ratio=high / low,
            basis="decode_s of calls",
        )


def _named(runs: Runs, rate: RunRate) -> str:
    return f"{runs.title(rate.framework)} on {rate.item}, iteration {rate.iteration}"


def _probes(probes: Probes) -> Iterator[Alarm]:
    if probes.ratio is not None and probes.ratio > PROBE_DRIFT_RATIO:
        yield alarm(
            "probe_drift",
            "high",
            f"The same small request was answered at {probes.slowest:.1f} to {probes.fastest:.1f} tokens/s "
            f"between the blocks, {probes.ratio:.2f} times apart (bound {PROBE_DRIFT_RATIO}): the blocks did "
            "not meet an equally fast model.",
            slowest_tokens_per_s=probes.slowest,
            fastest_tokens_per_s=probes.fastest,
            ratio=probes.ratio,
            bound=PROBE_DRIFT_RATIO,
            basis=probes.basis,
        )
    if probes.texts > 1:
        yield alarm(
            "probe_text_changed",
            "high",
            f"The same request at the same temperature and seed got {probes.texts} different answers over "
            f"{plural(probes.n, 'probe')}: the model, its server or its settings changed, or it does not "
            "repeat itself.",
            texts=probes.texts,
            probes=probes.n,
        )
    if probes.failed:
        yield alarm(
            "probe_failed",
            "medium",
            f"{probes.failed} of {plural(probes.n, 'probe')} failed, so what the model's speed was there is "
            "not known.",
            failed=probes.failed,
            probes=probes.n,
        )


def _same_text_latency(runs: Runs) -> Iterator[Alarm]:
    done = runs.answered
    text = ["subject", "item", "report_digest"]
    timed = done.loc[has_report(done) & (done["latency_s"] > 0), [*text, "latency_s"]]
    same = timed[timed.duplicated(text, keep=False)]
    if same.empty:
        return
    times = same.groupby(text)["latency_s"].agg(["min", "max"])
    ratio = (times["max"] / times["min"]).rename("ratio")
    if ratio.max() < SAME_TEXT_LATENCY_RATIO:
        return
    worst = ratio.reset_index().sort_values("ratio").iloc[-1]
    subject, item = str(worst["subject"]), str(worst["item"])
    yield alarm(
        "same_text_latency",
        "medium",
        f"Byte-identical outputs took up to {ratio.max():.2f} times as long ({runs.title(subject)}, "
        f"{item}): differences in latency smaller than that may be the machine's.",
        ratio=float(ratio.max()),
        framework=subject,
        item=item,
    )
