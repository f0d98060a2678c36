"""A gate as a JUnit file: a test case for each framework and metric.

The elements are those that the Jenkins JUnit schema (junit-10.xsd) and the readers of GitLab, Azure and
GitHub's actions have in common: a failure for a regression, skipped where the data do not tell.
"""

from __future__ import annotations

from xml.etree import ElementTree as ET

from analysis.change.gate_words import STATUS_LABELS
from analysis.change.result import Gate, GateLine
from analysis.change.shown import harmless

SKIPPED = ("undecided", "not_enough_data")


def junit(gate: Gate) -> bytes:
    counts = {
        "tests": str(len(gate.lines)),
        "failures": str(len(gate.having("regression"))),
        "errors": "0",
        "skipped": str(len(gate.having("undecided", "not_enough_data"))),
    }
    root = ET.Element("testsuites", counts)
    suite = ET.SubElement(root, "testsuite", {"name": "levelfield gate", **counts})
    for line in gate.lines:
        _case(suite, line)
    if gate.notes:
        ET.SubElement(suite, "system-out").text = "\n".join(map(harmless, gate.notes))
    ET.indent(root)
    found: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return found


def _case(suite: ET.Element, line: GateLine) -> None:
    subject = f"{line.framework} [{line.arm}]" if line.arm else line.framework
    case = ET.SubElement(
        suite, "testcase", {"classname": harmless(f"levelfield.{subject}"), "name": line.metric, "time": "0"}
    )
    text = harmless(f"{line.title}: {line.text}")
    if line.status == "regression":
        failure = ET.SubElement(case, "failure", {"message": text, "type": "regression"})
        failure.text = text
    elif line.status in SKIPPED:
        ET.SubElement(case, "skipped", {"message": f"{STATUS_LABELS[line.status]}: {text}"})
    else:
        ET.SubElement(case, "system-out").text = text
