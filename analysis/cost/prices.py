"""The price table: ours, and a file of the user's over it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from analysis.cost.result import Price
from shared.errors import UserError
from shared.suggest import unknown_name

OURS = Path(__file__).with_name("prices.yaml")
FILE_NAME = "prices.yaml"
"""In a results folder: prices that its report uses, too."""
MOST_PRICES = 40
MOST_BYTES = 200_000
SHAPE = "Each price is a name with title, input, output, currency, as_of and source; see docs/cost.md."


def read_prices(own: Path | None = None) -> dict[str, Price]:
    """`own`, then those of our price table that it does not name.

    Raises:
        UserError: `own` cannot be read, or is no table of prices.
    """
    mine = _read(own) if own else {}
    return mine | {name: price for name, price in _read(OURS).items() if name not in mine}


def prices_for(source: Path, own: Path | None = None) -> dict[str, Price]:
    """As `read_prices`, with the results folder's own file where no other is given."""
    beside = source / FILE_NAME
    return read_prices(own or (beside if beside.is_file() else None))


def chosen(prices: dict[str, Price], name: str | None) -> dict[str, Price]:
    """The one price that `name` means, or all of them.

    Raises:
        UserError: There is no such price.
    """
    if name is None:
        return prices
    if name not in prices:
        raise UserError(unknown_name("price", name, set(prices)))
    return {name: prices[name]}


def _read(path: Path) -> dict[str, Price]:
    content = _content(path)
    if not isinstance(content, dict) or not content:
        raise UserError(f"{path} holds no prices. {SHAPE}")
    if len(content) > MOST_PRICES:
        raise UserError(f"{path} holds {len(content)} prices; at most {MOST_PRICES} can be shown.")
    return {str(name): _price(path, str(name), row) for name, row in content.items()}


def _content(path: Path) -> Any:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise UserError(f"{path} is too large for a table of prices.")
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}). Name a file of prices.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not YAML: {' '.join(str(error).split())}") from error


def _price(path: Path, name: str, row: Any) -> Price:
    if not isinstance(row, dict):
        raise UserError(f"{path}: {name}: {row!r} is no price. {SHAPE}")
    try:
        return Price(**{str(key): value for key, value in ({"title": name} | row).items()})
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise UserError(f"{path}: {name}: {problems}. {SHAPE}") from None
