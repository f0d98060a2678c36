"""Runs in Inspect's own environment: a log as Inspect reads it, and as it reads it after writing it itself.

Standard library and inspect_ai only. Arguments: the log, and a folder to write a copy into.
"""

import json
import sys
import warnings
from pathlib import Path

warnings.simplefilter("error")  # what Inspect would only grumble about counts as a failure here

from inspect_ai.log import read_eval_log, write_eval_log  # noqa: E402 - after the filter

source, folder = sys.argv[1:]
log = read_eval_log(source, resolve_attachments=True)
copy = Path(folder) / "copy.eval"
write_eval_log(read_eval_log(source), str(copy))
again = read_eval_log(str(copy), resolve_attachments=True)
head = read_eval_log(source, header_only=True)
print(
    json.dumps(
        {
            name: found.model_dump(mode="json")
            for name, found in (("log", log), ("again", again), ("head", head))
        }
    )
)
