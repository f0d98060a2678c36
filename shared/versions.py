"""A framework in one of its versions: a plan says `langgraph==1.1.*`, everything after it `langgraph@1.1.x`.

The name is a specifier in words that file names can hold, and says as much: each turns into the other.
"""

from __future__ import annotations

import re

from packaging.specifiers import InvalidSpecifier, SpecifierSet

MARK = "@"
"""Between a framework and its version. Neither a framework's own name nor a version has one."""
BETWEEN = "-"
"""Between the parts of a version range."""
WORDS = {"==": "", ">=": "from", "<=": "upto", ">": "above", "<": "below", "~=": "about", "!=": "not"}
_WRITTEN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9_-]*)\s*([=<>~!]=?.*)$")
_VERSION = r"\d[a-z0-9]*(?:\.[a-z0-9]+)*"
_PART = re.compile(rf"^({'|'.join(filter(None, WORDS.values()))})?({_VERSION})$")


def versioned_name(written: str) -> str:
    """E.g. "langgraph==1.1.*" -> "langgraph@1.1.x", "crewai>=1,<1.15" -> "crewai@below1.15-from1".

    What names no version is returned as it is.

    Raises:
        ValueError: What follows the name is no version specifier, or one that no file name can hold.
    """
    found = _WRITTEN.match(written.strip())
    if not found:
        _checked(written)
        return written
    framework, specifier = found.groups()
    try:
        parts = sorted(SpecifierSet(specifier), key=str)
    except InvalidSpecifier:
        raise ValueError(f'"{written}" is no version: write, for example, {framework}==1.1.*') from None
    words = [WORDS.get(part.operator, MARK) + part.version.replace("*", "x") for part in parts]
    name = f"{framework}{MARK}{BETWEEN.join(words)}"
    _checked(name, written)
    return name


def split_version(name: str) -> tuple[str, str]:
    """Framework and specifier: "langgraph@1.1.x" -> ("langgraph", "==1.1.*"), "langgraph" -> (..., "")."""
    framework, mark, version = name.partition(MARK)
    if not mark:
        return name, ""
    operators = {word: operator for operator, word in WORDS.items()}
    parts = [_PART.match(part) for part in version.split(BETWEEN)]
    return framework, ",".join(
        operators[part[1] or ""] + re.sub(r"\.x$", ".*", part[2]) for part in parts if part
    )


def version_shown(name: str) -> str:
    """For titles: "langgraph@1.1.x" -> "1.1.*", "crewai@from1.2" -> ">=1.2"."""
    return split_version(name)[1].removeprefix("==")


def _checked(name: str, written: str | None = None) -> None:
    _, mark, version = name.partition(MARK)
    if mark and not all(_PART.match(part) for part in version.split(BETWEEN)):
        raise ValueError(
            f'"{written or name}" cannot be used: versions have digits, letters and dots, with one of '
            f"{', '.join(WORDS)} before them"
        )
