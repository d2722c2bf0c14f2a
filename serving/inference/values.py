"""Converts answers to plain JSON values."""

import json
from typing import Any

import numpy as np
import pandas as pd

#: Output with the error of each row, empty for answered rows. Only present if a row failed.
ERROR = "error"


def plain(value: Any) -> Any:
    """A JSON value; null for missing or infinite values."""
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
    """Text of a value that is not a number: itself, or its JSON."""
    return value if isinstance(value, str) else json.dumps(plain(value))


def is_unicode(value: str) -> bool:
    """Whether text is valid UTF-8: JSON can contain half of a surrogate pair, which is not a character."""
    return value.isascii() or not any(0xD800 <= ord(character) <= 0xDFFF for character in value)


def is_text(value: str) -> bool:
    """Whether it is valid text without control characters."""
    return is_unicode(value) and not any(ord(character) < 0x20 or ord(character) == 0x7F for character in value)


def safe_text(error: object) -> str:
    """An error's text, safe to send, even if it repeats parts of the request."""
    return str(error).encode(errors="backslashreplace").decode()
