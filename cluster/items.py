"""New items of a task: made up from seeds, from a YAML file, or from a folder of documents."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from cluster.document_facts import Documents, read_documents
from judge.checks import facts_stated
from shared.errors import PlanError
from shared.plan import NAME
from shared.record_files import make_folder, write_whole
from shared.tasks.item import TaskItem
from shared.tasks.load_task import generator, item_kind, items_folder, load_item, load_items, load_task
from shared.tasks.synthetic import Difficulty
from shared.yardsticks import CheckSpec

LINE_CHARS = 110


def generate_items(
    task: str, seeds: Iterable[int], difficulty: Difficulty, out: Path | None = None
) -> list[Path]:
    """Their files, in the order of the seeds. An item that is there already, the same, is left as it is."""
    make, folder = generator(task), out or items_folder(task)
    make_folder(folder)
    written = []
    for seed in seeds:
        path = folder / f"synthetic-{difficulty}-{seed}.yaml"
        command = f"levelfield item generate {task} --seed {seed} --difficulty {difficulty}"
        content = _yaml(make(seed, difficulty), f"Synthetic benchmark data: all of it is invented. {command}")
        if path.exists() and path.read_bytes() != content:
            raise PlanError(f"{path} is there already, and differs: move it away, or take another seed.")
        write_whole(path, content)
        written.append(path)
    return written


def add_file(task: str, source: Path, into: Path | None = None) -> Path:
    """Check an item's file and copy it. Raises PlanError, which names the file, the key and what to do."""
    folder = into or items_folder(task)
    if source.suffix not in {".yaml", ".yml"}:
        raise PlanError(f"{source} is no item: give a .yaml file, or a folder of .md and .txt files.")
    if not re.fullmatch(NAME, source.stem):
        raise PlanError(f"{source}: the file's name is the item's name in plans: only letters, digits, - _")
    queries = load_task(task).definition.queries
    item = load_item(source, queries, item_kind(task))
    _refuse_confusion(source, item, folder, queries, item_kind(task))
    path = folder / f"{source.stem}.yaml"
    write_whole(path, source.read_bytes())
    return path


def add_folder(
    task: str, source: Path, name: str, as_of: str, into: Path | None = None
) -> tuple[Path, list[str]]:
    """Turn documents into an item; its file, and what could not be decided, a line each."""
    folder, queries = into or items_folder(task), load_task(task).definition.queries
    if not queries:
        raise PlanError(f"{task} has no standard queries that documents could answer: add a YAML file.")
    key = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    if not key:
        raise PlanError(f"{name!r} has no letter or digit to name a file by: give --name.")
    documents = read_documents(source, queries, name, key)
    item = _item_of(documents, source, name, as_of, item_kind(task))
    if problems := item.problems(queries):
        raise PlanError("\n".join([f"{source}: {'; '.join(problems)}.", *documents.undecided]))
    _refuse_confusion(folder / f"{key}.yaml", item, folder, queries, item_kind(task))
    path = folder / f"{key}.yaml"
    write_whole(
        path, _yaml(item, f"Benchmark data, read from the folder {source.name}: check what it expects.")
    )
    return path, documents.undecided


def _item_of(documents: Documents, source: Path, name: str, as_of: str, kind: type[TaskItem]) -> TaskItem:
    if not documents.facts:
        raise PlanError("\n".join([f"{source} holds no fact that can be used.", *documents.undecided]))
    try:
        return kind.model_validate({"name": name, "as_of": as_of, "facts": documents.facts})
    except ValidationError as error:
        problem = error.errors()[0]
        key = ".".join(str(step) for step in problem["loc"])
        raise PlanError(f"{source}: {key}: {problem['msg']}") from None


def _refuse_confusion(
    source: Path,
    item: TaskItem,
    folder: Path,
    queries: Mapping[str, tuple[str, ...]],
    kind: type[TaskItem],
) -> None:
    """Names and ids that are taken, and facts that a report's words cannot tell apart."""
    others = load_items(folder, queries, kind) if any(folder.glob("*.y*ml")) else {}
    if source.stem in others:
        raise PlanError(f"{source}: there is an item {source.stem!r} already: give this one another name.")
    ids = {fact.id for fact in item.expected_facts()}
    for other_name, other in others.items():
        if other.name.casefold() == item.name.casefold():
            raise PlanError(f"{source}: name: {other_name} is called {other.name!r} too: change one of them.")
        if both := sorted(ids.intersection(fact.id for fact in other.expected_facts())):
            raise PlanError(f"{source}: facts: id {both[0]!r} is one of {other_name} too: ids must differ.")
    if problems := list(confused_facts(item)):
        raise PlanError(f"{source}: {'; '.join(problems[:3])}")


def confused_facts(item: TaskItem) -> Iterator[str]:
    """Facts that their own text does not state, or another fact's text does."""
    facts = getattr(item, "facts", ())
    spec = CheckSpec(
        name="facts", version=1, sections=(), min_words=0, max_words=0, facts=item.expected_facts()
    )
    for place, fact in enumerate(facts):
        stated = facts_stated(fact.text, spec)
        where = f"facts[{place}] ({fact.id})"
        if fact.id not in stated:
            yield f"{where}.expect: its own text does not hold all of it: use the text's words"
        for other in stated:
            if other != fact.id:
                yield f"{where}.text also states {other}: add a term to {other}'s expect that only it has"


def _yaml(item: TaskItem, notice: str) -> bytes:
    data: dict[str, Any] = item.model_dump(mode="json", exclude_none=True)
    text = yaml.safe_dump(
        data, sort_keys=False, allow_unicode=True, width=LINE_CHARS, default_flow_style=None
    )
    return f"# {notice}\n{text}".encode()
