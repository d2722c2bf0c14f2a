"""Reads the texts of a model's answer, which may be cut off or no JSON."""

import json
import re

_TEXT = re.compile(r'"((?:[^"\\]|\\.)*)"')


def texts(answer: str, limit: int) -> list[str]:
    """The texts of `{"texts": [...]}`; of an answer that was cut off, those that are whole."""
    try:
        found = json.loads(answer)["texts"]
    except (ValueError, KeyError, TypeError):
        found = [json.loads(f'"{one}"') for one in _TEXT.findall(answer.partition("[")[2]) if "\n" not in one]
    plain = (one.strip() for one in found if isinstance(one, str)) if isinstance(found, list) else ()
    return list(dict.fromkeys(one for one in plain if one and len(one) <= 4 * limit))
