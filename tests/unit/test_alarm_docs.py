"""docs/alarms.md, the titles and the code name the same alarms, with the same severities."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from analysis.alarm_titles import ALARM_TITLES

ROOT = Path(__file__).parents[2]
SEVERITIES = ("high", "medium", "low")


def raised() -> dict[str, set[str]]:
    """Code -> severities, from each call of `alarm` in the analysis."""
    found: dict[str, set[str]] = {}
    for path in sorted((ROOT / "analysis").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "alarm":
                code, severity = node.args[:2]
                assert isinstance(code, ast.Constant), f"{path}:{node.lineno}: the code is no literal"
                found.setdefault(str(code.value), set()).update(_severities(severity))
    return found


def _severities(node: ast.expr) -> Iterator[str]:
    """A literal, or one of two by a condition."""
    for part in [node.body, node.orelse] if isinstance(node, ast.IfExp) else [node]:
        assert isinstance(part, ast.Constant)
        yield str(part.value)


def documented() -> dict[str, set[str]]:
    text = (ROOT / "docs" / "alarms.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| ([a-z, ]+) \| .+ \| .+ \|$", text, re.MULTILINE)
    codes = [code for code, _ in rows]
    assert len(codes) == len(set(codes))
    return {code: set(severities.split(", ")) for code, severities in rows}


def test_every_alarm_is_documented_with_its_severity() -> None:
    """The table has each code that the analysis can raise, no other, and its severities."""
    assert documented() == raised()
    assert {severity for found in raised().values() for severity in found} <= set(SEVERITIES)


def test_every_alarm_has_a_title() -> None:
    """A code without a heading would break the page; a heading without a code is left over."""
    assert set(ALARM_TITLES) == set(raised())
