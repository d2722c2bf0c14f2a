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
_CURRENCY = re.compile(rf"^[+-]?\s*{_SIGN}\s*[+-]?[\d.,]|[\d.,]\s*{_SIGN}\s*$")


def number(text: str, decimal: str | None = None, currency: str | None = None) -> str:
    """SQL of the number in a text, null where it is not one. By default the decimal sign is a point and digits are not
    grouped."""
    bare = f"trim(replace({text}, {literal(currency)}, ''))" if currency else text
    bare = f"regexp_replace({bare}, '^([+-]) ', '\\1')" if currency else bare
    if decimal is None:
        return f"CASE WHEN regexp_full_match({bare}, {literal(_PLAIN)}) THEN try_cast({bare} AS DOUBLE) END"
    bare = f"regexp_replace({bare}, {literal(_SPACES)}, '', 'g')"
    other = {".": ",", ",": "."}[decimal]
    plain = f"replace(replace({bare}, '{other}', ''), '{decimal}', '.')"
    return f"CASE WHEN regexp_full_match({bare}, {literal(_GROUPED[decimal])}) THEN try_cast({plain} AS DOUBLE) END"


def signs(texts: Sequence[str]) -> tuple[list[str], list[str]]:
    """The decimal signs with which all of these texts are numbers (none where no text has a sign), and the currencies
    in them."""
    found = [_CURRENCY.search(text.strip()) for text in texts]
    currencies = sorted({match[1] or match[2] for match in found if match})
    bare = [re.sub(_SPACES, "", re.sub("|".join(map(re.escape, currencies)) or "$^", "", text)) for text in texts]
    if all(re.fullmatch(r"[+-]?\d+", text) for text in bare):
        return [], currencies
    return [sign for sign, form in _GROUPED.items() if all(re.fullmatch(form, text) for text in bare)], currencies
