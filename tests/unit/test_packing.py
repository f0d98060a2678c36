"""Long texts of calls, kept once: nothing is lost, nothing is doubled, a damaged text is noticed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.calls import Call
from shared.errors import CorruptRecord
from shared.packing import LONG_TEXT, MARKS, pack, unpack
from shared.store import Store
from shared.texts import Texts
from tests.unit.stored_records import run

long_text = st.text(min_size=1, max_size=5).map(lambda piece: piece * LONG_TEXT)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | long_text,
    lambda inner: (
        st.lists(inner, max_size=6)
        | st.dictionaries(st.sampled_from([*MARKS, "messages", "content"]), inner, max_size=3)
    ),
    max_leaves=30,
)


@given(json_values)
def test_what_is_packed_comes_back(value: Any) -> None:
    """Any JSON value survives, also one that looks like our own marks, and what stays in place is small."""
    kept: dict[str, str] = {}
    packed = pack(value, kept.__setitem__)
    assert unpack(json.loads(json.dumps(packed)), kept.__getitem__) == value


def conversation(turns: int) -> Call:
    messages = [{"role": "user", "content": f"turn {n}: " + "words " * 400} for n in range(turns)]
    return Call(
        sequence=turns,
        kind="model",
        path="/v1/chat/completions",
        arrived_s=0,
        last_byte_s=1,
        status=200,
        request={"model": "m", "messages": messages},
        response={"choices": [{"message": {"content": "answer " * 400}}]},
    )


def test_a_text_sent_often_is_kept_once(tmp_path: Path) -> None:
    """A conversation of four calls that carry all earlier turns takes little more than its last call alone."""
    store = Store(tmp_path)
    calls = [conversation(turns) for turns in range(1, 5)]
    record = store.write_run(run(), calls)
    assert store.calls(record) == calls
    texts = list(tmp_path.glob("texts/*/*.z"))
    assert len(texts) == 5
    on_disk = sum(path.stat().st_size for path in [*texts, *tmp_path.glob("runs/*/*.jsonl")])
    assert on_disk < sum(len(call.model_dump_json()) for call in calls) / 5


def test_a_damaged_text_is_noticed(tmp_path: Path) -> None:
    """A text that is not what its name says, or is gone, is named and not used."""
    texts = Texts(tmp_path)
    store = Store(tmp_path / "store")
    record = store.write_run(run(), [conversation(1)])
    first, second = sorted((tmp_path / "store").glob("texts/*/*.z"))
    first.write_bytes(second.read_bytes())
    with pytest.raises(CorruptRecord, match="does not match its name"):
        store.calls(record)
    first.unlink()
    with pytest.raises(CorruptRecord, match="cannot be read"):
        store.calls(record)
    with pytest.raises(CorruptRecord, match="cannot be read"):
        texts.get("0" * 64)


def test_a_text_that_was_just_read_is_not_read_again(tmp_path: Path) -> None:
    """What call after call carries is taken from memory: it is there still when its file is gone."""
    store = Store(tmp_path)
    record = store.write_run(run(), [conversation(1)])
    calls = store.calls(record)
    for path in tmp_path.glob("texts/*/*.z"):
        path.unlink()
    assert store.calls(record) == calls
    with pytest.raises(CorruptRecord):
        Store(tmp_path).calls(record)
