"""Answers as plain JSON values, whatever libraries made them."""

import json
from typing import Any

import numpy as np
import pandas as pd

#: The answer that says, row by row, why it was not answered; empty text where it was. Only where one was not.
ERROR = "error"


def plain(value: Any) -> Any:
    """A JSON value; null for what is missing or not finite."""
    if isinstance(value, dict):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [plain(part) for part in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value if isinstance(value, bool | int | float | str) else str(value)


def as_text(value: object) -> str:
    """A value that is no number, as text: itself, or JSON."""
    return value if isinstance(value, str) else json.dumps(plain(value))


def is_unicode(value: str) -> bool:
    """Whether UTF-8 can carry it: JSON can name half of a surrogate pair, which is no character."""
    return value.isascii() or not any(0xD800 <= ord(character) <= 0xDFFF for character in value)


def is_text(value: str) -> bool:
    """Whether it is such text without control characters."""
    return is_unicode(value) and not any(ord(character) < 0x20 or ord(character) == 0x7F for character in value)


def told(error: object) -> str:
    """An error's text as an answer can carry it, whatever it repeats of the request."""
    return str(error).encode(errors="backslashreplace").decode()
