"""The families by name, imported lazily: training churn never loads another family's libraries."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # `adloop --help` needs only the names, and pandas is two thirds of its start
    from models.family import Family

NAMES = ("churn", "ltv", "bidding", "creative", "nlp", "vision")


def family(name: str) -> "Family":
    """The family `name`. Raises `KeyError` with the known names."""
    if name not in NAMES:
        raise KeyError(f"no family '{name}'; there are: {', '.join(NAMES)}")
    found: Family = import_module(f"models.{name}").FAMILY
    return found
