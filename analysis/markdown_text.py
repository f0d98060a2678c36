"""Text from anywhere in GitHub-flavoured Markdown: nothing of it becomes markup, a link or a mention."""

from __future__ import annotations

import re
import unicodedata

JOINER = "\u2060"
"""Word joiner: takes no room, and parts what GitHub would turn into a mention, a reference or a link."""

_MARKUP = re.compile(r"([\\`*_\[\]|~$!])")
_LINE_START = re.compile(r"^([-+#>=]|\d+(?=[.)]))")
_TURNED_INTO_LINKS = (
    (re.compile(r"@(?=\w)"), f"@{JOINER}"),
    (re.compile(r"#(?=\d)"), f"#{JOINER}"),
    (re.compile(r"\b(GH)-(?=\d)", re.IGNORECASE), rf"\1{JOINER}-"),
    (re.compile(r"://"), f":{JOINER}//"),
    (re.compile(r"\b(www)\.", re.IGNORECASE), rf"\1{JOINER}."),
    (re.compile(r"\b([0-9a-f]{4})(?=[0-9a-f]{3,36}\b)"), rf"\1{JOINER}"),
)
"""Mentions, issues, addresses, and what may be a commit's digest (7 to 40 hexadecimal digits)."""


def escaped(text: str) -> str:
    """One line of it, for a paragraph, a list or a table's cell."""
    line = "".join(" " if c in "\r\n\t" else "?" if unicodedata.category(c)[0] == "C" else c for c in text)
    line = line.strip().replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    line = _MARKUP.sub(r"\\\1", line)
    for pattern, instead in _TURNED_INTO_LINKS:
        line = pattern.sub(instead, line)
    return _LINE_START.sub(lambda found: _at_start(found[1]), line)


def _at_start(mark: str) -> str:
    """What begins a list, heading or quotation; of a numbered list, the number is parted from its dot."""
    return f"{mark}{JOINER}" if mark.isdigit() else f"\\{mark}"
