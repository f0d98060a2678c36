"""Models from the Hugging Face hub: the real library against a stand-in hub over HTTP, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import constants

from cluster.servers import check_setting
from shared.errors import SettingsError
from tests.unit.hub_server import HubServer

ROOT = Path(__file__).resolve().parents[2]
FILE = "owner/model/parts/tiny.gguf"
CONTENT = b"GGUF" + bytes(range(256)) * 32_000
TOKEN = "hf_planted-0123456789"
TIMEOUT_S = 120
CHUNK_BYTES = constants.DOWNLOAD_CHUNK_SIZE
"""The library keeps whole chunks of what came."""

# The library reads its variables when it is imported, as it does on a node.
SCRIPT = """
import json, sys
from cluster.servers.model_weights import find_weights
from shared.errors import UserError
said = []
try:
    found = find_weights(sys.argv[1], said.append)
    print(json.dumps({"path": str(found.path), "name": found.name, "sha256": found.sha256, "said": said}))
except UserError as error:
    print(json.dumps({"error": str(error), "kind": type(error).__name__, "said": said}))
"""


@pytest.fixture
def hub() -> Iterator[HubServer]:
    with HubServer(FILE, CONTENT) as server:
        yield server


def fetch(hub_address: str, home: Path, name: str = f"hf:{FILE}", **variables: str) -> dict[str, Any]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    own = {"HF_ENDPOINT": hub_address, "HF_HOME": str(home), "HF_HUB_DOWNLOAD_TIMEOUT": "5"}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, name],
        cwd=ROOT, env={**kept, **own, **variables}, capture_output=True, text=True, timeout=TIMEOUT_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert TOKEN not in done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_a_file_is_fetched_once(hub: HubServer, tmp_path: Path) -> None:
    """Its digest is the hub's, the progress is told, and the second time nothing is transferred."""
    first = fetch(hub.origin, tmp_path, HF_TOKEN=TOKEN)
    assert Path(first["path"]).read_bytes() == CONTENT
    assert (first["name"], first["sha256"]) == ("tiny.gguf", hub.sha256)
    assert first["said"][-1] == "parts/tiny.gguf: 8 of 8 MB (100%)"
    assert hub.tokens == {f"Bearer {TOKEN}"}
    assert fetch(hub.origin, tmp_path)["path"] == first["path"]
    assert hub.ranges == [None]


def test_without_the_hub_what_was_fetched_serves(hub: HubServer, tmp_path: Path) -> None:
    """A machine that has the file needs no network any more."""
    first = fetch(hub.origin, tmp_path)
    assert fetch("http://127.0.0.1:9", tmp_path)["path"] == first["path"]


def test_a_hub_that_cannot_be_reached(tmp_path: Path) -> None:
    """The message says where it was looked for and what else to do."""
    found = fetch("http://127.0.0.1:9", tmp_path)
    assert found["kind"] == "ServerUnavailable"
    assert "cannot be reached at http://127.0.0.1:9" in found["error"]
    assert "HF_ENDPOINT" in found["error"]
    assert "llamacpp:/path/to/model.gguf" in found["error"]


def test_a_transfer_that_breaks_off_goes_on_from_there(tmp_path: Path) -> None:
    """What came is kept: the next request asks for the rest only, and the whole has the right digest."""
    with HubServer(FILE, CONTENT * 3) as large:
        large.breaks_after = 2 * CHUNK_BYTES - 1
        found = fetch(large.origin, tmp_path)
    assert found.get("sha256") == large.sha256, found
    assert large.ranges == [None, f"bytes={CHUNK_BYTES}-"]


def test_a_damaged_file_is_not_served(hub: HubServer, tmp_path: Path) -> None:
    """A cached file that no longer has the digest that the hub gave is named with what to remove."""
    path = Path(fetch(hub.origin, tmp_path)["path"]).resolve()
    path.write_bytes(CONTENT[:-1] + b"\0")
    found = fetch(hub.origin, tmp_path)
    assert "is damaged" in found["error"]
    assert f"Remove {path}" in found["error"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("hf:gated/model/a.gguf", "accept its terms there, and set HF_TOKEN"),
        ("hf:nobody/model/a.gguf", "has no repository nobody/model that it shows us"),
        ("hf:owner/model/other.gguf", "has no file other.gguf in owner/model"),
        ("hf:a--b/model/a.gguf", "names no repository"),
    ],
)
def test_what_the_hub_does_not_give(hub: HubServer, tmp_path: Path, name: str, message: str) -> None:
    """A gated, a private, a missing and an impossible file are told apart, each with what to do."""
    assert message in fetch(hub.origin, tmp_path, name)["error"]


@pytest.mark.parametrize(
    "name",
    ["hf:", "hf:model.gguf", "hf:owner/model", "hf:owner/model/weights.bin", "hf:owner/model/../../x.gguf"],
)
def test_a_name_that_is_none(name: str) -> None:
    """A malformed name is a setting to mend before anything is started, with how to write one."""
    with pytest.raises(SettingsError, match=r"hf:OWNER/REPOSITORY/FILE\.gguf"):
        check_setting(f"llamacpp:{name}")


def test_one_part_of_several() -> None:
    """A model in several files is not served by its first part alone."""
    with pytest.raises(SettingsError, match="llama-gguf-split"):
        check_setting("llamacpp:hf:owner/model/big-00001-of-00003.gguf")
