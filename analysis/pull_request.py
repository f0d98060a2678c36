"""Analysis -> report.md: what a reviewer reads in a pull request, in a minute."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from analysis.alarm_titles import ALARM_TITLES
from analysis.markdown_text import escaped
from analysis.result import Alarm, Analysis, FrameworkResult
from analysis.tables import digits_for, number
from analysis.wording import plural

SEVERITIES = ("high", "medium", "low")
MOST_FRAMEWORKS = 20
MOST_ALARMS = 8
MOST_SENTENCES = 6
Row = Sequence[str]


def render_markdown(analysis: Analysis, files: Sequence[str] = ()) -> str:
    """GitHub-flavoured Markdown; `files` are named at its end, for whoever wants to know more."""
    blocks = [
        f"## Levelfield: {escaped(analysis.setup.experiment)}",
        f"**{escaped(analysis.summary.headline)}**",
        _bullets(analysis.summary.compared),
        *_frameworks(analysis),
        *_section("Learned", analysis.summary.learned),
        *_section("How sure", analysis.summary.certainty),
        *_alarms(analysis.alarms),
        *_section("Cannot be concluded", analysis.summary.cannot_conclude),
        *([f"Everything else: {', '.join(f'`{_code(name)}`' for name in files)}."] if files else []),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _frameworks(analysis: Analysis) -> Iterator[str]:
    """Best mean quality first, as in the report; an order of means is not a finding."""
    ranked = [place.framework for place in analysis.ranking]
    names = [*ranked, *(name for name in analysis.frameworks if name not in ranked)]
    if not names:
        return
    shown = {name: analysis.frameworks[name] for name in names[:MOST_FRAMEWORKS]}
    digits = digits_for(f.latency_s for f in shown.values())
    columns: list[tuple[str, list[str]]] = [
        ("Framework", [escaped(f.title) for f in shown.values()]),
        ("Completed", [f"{f.n}/{f.rows}" for f in shown.values()]),
        ("Distinct reports", [number(f.distinct_outputs, 0) for f in shown.values()]),
        ("Quality", [_quality(f) for f in shown.values()]),
        ("Latency s", [number(f.latency_s, digits) for f in shown.values()]),
        ("Its own s", [number(f.framework_s, 3) for f in shown.values()]),
        ("Tokens", [number(f.tokens, 0) for f in shown.values()]),
    ]
    kept = [(head, cells) for head, cells in columns if any(cell != number(None) for cell in cells)]
    yield _table([head for head, _ in kept], list(zip(*(cells for _, cells in kept), strict=True)))
    rest = f"The first {MOST_FRAMEWORKS} of {len(names)}. " if len(names) > MOST_FRAMEWORKS else ""
    note = "Means over completed runs, best quality first; an order of means is not a finding."
    yield f"<sub>{rest}{note}</sub>"


def _quality(f: FrameworkResult) -> str:
    spread = f" ± {f.std:.2f}" if f.std is not None else ""
    return f"{number(f.quality)}{spread}"


def _alarms(alarms: Sequence[Alarm]) -> Iterator[str]:
    if not alarms:
        yield "No alarm was raised."
        return
    ordered = sorted(alarms, key=lambda alarm: SEVERITIES.index(alarm.severity))
    counts = ", ".join(
        f"{count} {severity}"
        for severity in SEVERITIES
        if (count := sum(alarm.severity == severity for alarm in alarms))
    )
    yield f"### Alarms: {counts}"
    lines = [
        f"- **{alarm.severity}** {escaped(ALARM_TITLES.get(alarm.code, alarm.code))}: {escaped(alarm.text)}"
        for alarm in ordered[:MOST_ALARMS]
    ]
    if len(ordered) > MOST_ALARMS:
        lines.append(f"- and {plural(len(ordered) - MOST_ALARMS, 'alarm')} more in the report")
    yield "\n".join(lines)


def _section(title: str, sentences: Sequence[str]) -> Iterator[str]:
    if sentences:
        yield f"### {title}"
        yield _bullets(sentences)


def _bullets(sentences: Sequence[str]) -> str:
    lines = [f"- {escaped(sentence)}" for sentence in sentences[:MOST_SENTENCES]]
    if len(sentences) > MOST_SENTENCES:
        lines.append(f"- and {plural(len(sentences) - MOST_SENTENCES, 'sentence')} more in the report")
    return "\n".join(lines)


def _table(head: Row, rows: Iterable[Row]) -> str:
    marks = [":--", *["--:"] * (len(head) - 1)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, marks, *rows))


def _code(name: str) -> str:
    """Between backticks, where nothing is escaped."""
    return name.replace("`", "'").replace("\n", " ")
