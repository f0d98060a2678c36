"""Keys planted where users put them, and looked for in everything that a whole run leaves or shows."""

from __future__ import annotations

import json
import secrets
from pathlib import Path

import psutil
import pytest
from aiohttp import web

from tests.functional.command import RUN_PATH, levelfield, research, write_plan
from tests.functional.faulty_checkout import faulty_checkout
from tests.functional.model_service import MODEL, model_service, says

pytestmark = [pytest.mark.functional, pytest.mark.timeout(580)]

FINISH_S = 500
FRAMEWORKS = ["direct", "langgraph"]
TELLS = """
    with open(FOLDER + "/environment", "a") as told:
        told.write(f"{dict(os.environ)}\\n")
"""
"""A framework's own word: Ray's workers overwrite what the system shows of their environment with their title."""


def test_keys_are_nowhere_but_where_they_are_used(tmp_path: Path) -> None:
    """One key in a file and one in the environment reach their services, and no record, log, span, process
    title or framework's environment, although the service repeats them in its answers and the frameworks in
    their reports.
    """
    key, judge_key = (f"sk-{kind}-{secrets.token_hex(16)}" for kind in ("planted", "judge"))
    planted = (key, judge_key)
    key_file = tmp_path / "key"
    key_file.write_text(f"{key}\n", encoding="utf-8")
    shown: set[str] = set()

    with model_service() as service:

        async def behave(_request: web.Request) -> web.StreamResponse:
            shown.update(_processes_that_show(planted))
            return says(f"Incorrect API key provided: {key}")

        service.behave = behave
        plan = write_plan(
            tmp_path / "plan.yaml",
            frameworks=FRAMEWORKS,
            tasks=research("stripe"),
            settings={
                "judge_model": MODEL,
                "judge_base_url": service.server.url.replace("127.0.0.1", "localhost"),
            },
        )
        out = tmp_path / "out"
        variables = service.variables | {
            "LEVELFIELD_LLM_API_KEY_FILE": str(key_file),
            "LEVELFIELD_JUDGE_API_KEY": judge_key,
            "LEVELFIELD_TRACE_CONTENT": "true",
        }
        variables |= faulty_checkout(tmp_path, TELLS)
        with levelfield("run", plan, "--out", out, folder=tmp_path, **variables) as command:
            code = command.wait(FINISH_S)
            said = command.output
            written = {
                path: path.read_bytes()
                for folder in (out, command.ray_folder)
                for path in folder.rglob("*")
                if path.is_file()
            }
        used = {headers.get("Authorization") for headers in service.server.headers}
    assert code == 0, said
    assert used == {f"Bearer {one}" for one in planted}
    assert shown == set()
    told = (tmp_path / "environment").read_text(encoding="utf-8")
    assert "PATH" in told
    assert not any(one in told for one in planted)
    assert len(written) > 20
    assert any(path.name.endswith(".log") for path in written)
    found = [
        str(path)
        for path, content in written.items()
        if any(one.encode() in content for one in planted) or RUN_PATH.search(content)
    ]
    assert found == []
    assert not any(one in said for one in planted)
    assert str(key_file) not in (out / "manifest.json").read_text(encoding="utf-8")
    texts = [json.loads(path.read_bytes()) for path in out.glob("runs/*/attempt-1.json")]
    assert len(texts) == len(FRAMEWORKS)
    assert all("Incorrect API key provided: <key>" in json.dumps(text) for text in texts)


def _processes_that_show(planted: tuple[str, ...]) -> set[str]:
    """Names of processes with a key in their title or, but for the command itself, in their environment."""
    found: set[str] = set()
    for process in psutil.process_iter():
        try:
            title, variables = " ".join(process.cmdline()), process.environ()
        except psutil.Error:
            continue
        hidden = "-m cluster run" in title  # whoever started it gave it the variable
        if any(key in title or (key in str(variables) and not hidden) for key in planted):
            found.add(f"{process.pid} {title[:200]}")
    return found
