"""SQL that parses text as numbers, given the decimal sign and the currency."""

import re
from collections.abc import Sequence

from features.tables import literal

_PLAIN = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_GROUPED = {  # by decimal sign: digits, plain or grouped by three with the other sign
    ".": r"[+-]?(?:\d*|\d{1,3}(?:,\d{3})+)(?:\.\d+)?",
    ",": r"[+-]?(?:\d*|\d{1,3}(?:\.\d{3})+)(?:,\d+)?",
}
_SPACES = "[\u0020\u00a0\u202f\u2009'\u2019]"
_SIGN = r"([^\d\s.,+'\u2019()-]{1,4})"
_CURRENCY = re.compile(rf"^[(+-]?\s*{_SIGN}\s*[(+-]?[\d.,]|[\d.,]\s*{_SIGN}\s*[)-]?$")
#: How accounts write -5: (5) or 5-. Whatever has a sign of its own in brackets gets a second one, and is no number.
_NEGATIVE = (r"^\(\s*(.*?)\s*\)$", r"^([\d.,].*?)\s*-$")


def number(text: str, decimal: str | None = None, currency: str | None = None) -> str:
    """SQL of the number in a text, null where it is not one. By default the decimal sign is a point and digits are not
    grouped. Negative numbers may be written as -5, (5) or 5-."""
    bare = f"trim(replace({text}, {literal(currency)}, ''))" if currency else text
    bare = f"regexp_replace({bare}, '^([+-]) ', '\\1')" if currency else bare
    minus = bare
    for form in _NEGATIVE:
        minus = f"regexp_replace({minus}, '{form}', '-\\1')"
    return f"CASE {_case(bare, decimal)} {_case(minus, decimal)} END"


def _case(text: str, decimal: str | None) -> str:
    if decimal is None:
        return f"WHEN regexp_full_match({text}, {literal(_PLAIN)}) THEN try_cast({text} AS DOUBLE)"
    text = f"regexp_replace({text}, {literal(_SPACES)}, '', 'g')"
    other = {".": ",", ",": "."}[decimal]
    plain = f"replace(replace({text}, '{other}', ''), '{decimal}', '.')"
    return f"WHEN regexp_full_match({text}, {literal(_GROUPED[decimal])}) THEN try_cast({plain} AS DOUBLE)"


def signs(texts: Sequence[str]) -> tuple[list[str], list[str]]:
    """The decimal signs with which all of these texts are numbers (none where no text has a sign), and the currencies
    in them."""
    found = [_CURRENCY.search(text.strip()) for text in texts]
    currencies = sorted({match[1] or match[2] for match in found if match})
    bare = [re.sub(_SPACES, "", re.sub("|".join(map(re.escape, currencies)) or "$^", "", text)) for text in texts]
    for form in _NEGATIVE:
        bare = [re.sub(form, r"-\1", text) for text in bare]
    if all(re.fullmatch(r"[+-]?\d+", text) for text in bare):
        return [], currencies
    return [sign for sign, form in _GROUPED.items() if all(re.fullmatch(form, text) for text in bare)], currencies
