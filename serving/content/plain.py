"""A text as a reader sees it, and as it is meant where its words are masked."""

import re
import unicodedata
from functools import cache

#: Letters of other scripts that look like Latin ones.
_LOOKALIKES = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0391\u0392\u0395\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a7\u03bf",
    "aeopcyxiABEHIKMNOPTXo",
)
_BETWEEN_LETTERS = re.compile(r"(?<=[^\W\d_])\u200d(?=[^\W\d_])")  # joins emoji; between letters it hides
_SPACED = re.compile(r"(?<!\w)(?:[^\W\d_][ .*_\-\u00b7]{1,2}){3,}[^\W\d_](?!\w)")
_LEET = re.compile(r"(?<=[^\W\d_])[013457@$](?=[^\W\d_])")
_LETTERS = str.maketrans("013457@$", "oieastas")
_LATIN = re.compile(r"LATIN (?:SMALL|CAPITAL|LETTER SMALL CAPITAL)(?: LETTER)? ([A-Z])(?: WITH .*)?$")


def plain(text: str) -> str:
    """The text as a reader sees it: compatibility forms unified, invisible characters gone, lookalikes Latin."""
    unified = _BETWEEN_LETTERS.sub("", unicodedata.normalize("NFKC", text))
    seen = "".join(sign for sign in unified if unicodedata.category(sign) not in ("Cf", "Cc") or sign in "\n\t\u200d")
    mixed = any("a" <= sign <= "z" for sign in seen.lower())
    return " ".join((seen.translate(_LOOKALIKES) if mixed else seen).split())


def unmasked(text: str) -> str:
    """A text as it is meant: spaced letters joined; digits, signs and accents in words as plain letters."""
    joined = _SPACED.sub(lambda found: re.sub(r"[\W_]", "", found[0]), text)
    spelt = _LEET.sub(lambda found: found[0].translate(_LETTERS), joined)
    return "".join(_base(sign) for sign in spelt)


@cache
def _base(sign: str) -> str:
    """The Latin letter that another is a form of; umlauts stay."""
    found = _LATIN.match(unicodedata.name(sign, "")) if sign > "\x7f" and sign.lower() not in "äöüß" else None
    return found[1].lower() if found else sign
