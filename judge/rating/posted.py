"""What a page sends, checked."""

from __future__ import annotations

import unicodedata
from typing import Annotated, TypeVar

from pydantic import Field, ValidationError, field_validator

from judge.rating.desk import BadAnswer
from shared.judgements import Winner
from shared.strict import Strict

LOWEST, HIGHEST = 1, 10
MAX_COMMENT_CHARS = 2_000
MAX_SECONDS = 7 * 24 * 3600.0

Score = Annotated[int, Field(strict=True, ge=LOWEST, le=HIGHEST)]
Seconds = Annotated[float, Field(ge=0, le=MAX_SECONDS, allow_inf_nan=False)]
PostedType = TypeVar("PostedType", bound=Strict)


class PostedScores(Strict):
    scores: dict[str, Score]
    comment: str = Field(default="", max_length=MAX_COMMENT_CHARS)
    seconds: Seconds | None = None

    @field_validator("comment")
    @classmethod
    def _as_text(cls, comment: str) -> str:
        return clean_comment(comment)


class PostedWinner(Strict):
    winner: Winner
    seconds: Seconds | None = None


def read_posted(posted: bytes, kind: type[PostedType]) -> PostedType:
    """Raises BadAnswer with the first two things that are wrong."""
    try:
        return kind.model_validate_json(posted)
    except ValidationError as error:
        problems = [
            f"{'.'.join(str(step) for step in problem['loc']) or 'answer'}: {problem['msg']}"
            for problem in error.errors(include_url=False)[:2]
        ]
        raise BadAnswer("; ".join(problems)) from None


def clean_comment(comment: str) -> str:
    """Line ends as one character, and no other control characters: what survives a CSV file."""
    lines = comment.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(c for c in lines if c in "\n\t" or unicodedata.category(c) not in {"Cc", "Cs"}).strip()


def missing_and_unknown(scores: dict[str, int], criteria: list[str]) -> str:
    """Empty when there is exactly one score for each criterion."""
    missing = [name for name in criteria if name not in scores]
    unknown = [name for name in scores if name not in criteria]
    parts = [f"no score for {', '.join(missing)}"] if missing else []
    return "; ".join(parts + ([f"no criterion is called {', '.join(unknown)}"] if unknown else []))
