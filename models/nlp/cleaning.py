"""Texts as the encoder reads them: of bounded length, without control characters, emoji as words."""

import html
import re
import unicodedata
from functools import cache
from importlib.util import find_spec
from pathlib import Path

#: Characters of a text that are read: several times what the encoder's tokens hold.
LONGEST = 2000
_ADDRESS = re.compile(r"https?://\S+|www\.\S+")
_MENTION = re.compile(r"(?<!\w)@\w+")
_SPACE = re.compile(r"\s+")


def clean(text: str) -> str:
    """`text` in plain form. Addresses and names of users are replaced by one word each; nothing else is lost but the
    end of a text of more than `LONGEST` characters."""
    text = html.unescape(text[:LONGEST])
    text = "".join(_plain(sign) for sign in unicodedata.normalize("NFKC", text))
    text = _MENTION.sub("@user", _ADDRESS.sub("http", text))
    return _SPACE.sub(" ", text).strip()


def key(text: str) -> str:
    """The letters, digits and emoji of a text in lower case: equal for texts that differ in punctuation only."""
    return " ".join(re.findall(r"\w+", clean(text).lower()))


def _plain(sign: str) -> str:
    if sign.isascii():
        return sign if sign.isprintable() else " "
    if sign in _emoji():
        return f" {_emoji()[sign]} "
    kind = unicodedata.category(sign)
    return "" if kind in ("Cf", "Mn") and sign not in _emoji() else " " if kind.startswith("C") else sign


@cache
def _emoji() -> dict[str, str]:
    """Descriptions of emoji of one character, from the package vaderSentiment (MIT licence)."""
    spec = find_spec("vaderSentiment")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("classifiers of texts need the package vaderSentiment, which names emoji")
    file = Path(spec.submodule_search_locations[0]) / "emoji_utf8_lexicon.txt"
    lines = (line.split("\t") for line in file.read_text("utf-8").splitlines() if "\t" in line)
    return {sign: name.strip() for sign, name in lines if len(sign) == 1 and not sign.isascii()}
