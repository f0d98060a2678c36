"""A key that stands in a file of its own, as secret stores hand them to a process."""

from __future__ import annotations

from pathlib import Path

from shared.errors import SettingsError

MOST_BYTES = 16 * 1024
"""The longest keys are signed tokens of a few thousand characters; a larger file is another one."""


def key_in_file(file: Path, variable: str) -> str:
    """What stands there, without white space around it.

    Args:
        file: Where it is; ~ is the home folder.
        variable: That names the file, for messages.

    Raises:
        SettingsError: There is no such file, or no key in it; the message never shows what is.
    """
    try:
        with file.expanduser().open("rb") as opened:
            content = opened.read(MOST_BYTES + 1)
        key = content.decode("ascii").strip()
    except OSError as error:
        raise SettingsError(f"{variable} is {file}, which cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        key = ""
    if not key or len(content) > MOST_BYTES or not key.isprintable():
        raise SettingsError(f"{variable} is {file}, which holds no key: it has to be one line of text.")
    return key
