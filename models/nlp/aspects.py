"""The part of a text that is about one brand or thing in it."""

import re
from functools import cache
from itertools import islice

from models.text.embedding import VOCABULARY
from models.text.sentiment import lexicon

_CONTRASTS = "but|however|while|whereas|whilst|although|though|yet|unlike"
_BACK = "it|its|it's|they|them|their|these|this|that|which|who|both|he|she|him|her"
#: Where a clause ends. Before `and` it does only where another name follows.
_END = re.compile(rf"[.;:!?,\n]+|\s-+\s|\b(?:{_CONTRASTS})\b", re.IGNORECASE)
_SENTENCE_END = re.compile(r"[.!?\n]+\s")
_AND = re.compile(r"\band\b", re.IGNORECASE)
#: Words that speak of what was named before.
_REFERS = re.compile(rf"\b(?:{_BACK})\b", re.IGNORECASE)
_NAME = re.compile(r"\b[A-Z][\w&'-]+")
_WORD = re.compile(r"[^\W\d_][\w&'-]*")
#: Written with a capital, and named as a time or by who speaks.
_NOBODY = re.compile(
    r"I'\w+|OK|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)days?|January|February|March|April|May|June|July|August|"
    r"September|October|November|December|Christmas"
)
#: Words of the encoder's vocabulary, the frequent first, that a clause may begin with and name nobody; the ends that
#: make further ones of them; and the names among them.
FREQUENT = 10_000
_ENDS = re.compile(r"(?:able|ed|est|ful|ible|ing|ive|less|ly|ous|s)$")
_NAMES = frozenset(
    {
        *("amazon", "apple", "canon", "delta", "disney", "facebook", "ford", "gap", "google", "hp", "ibm", "mcdonald"),
        *("microsoft", "orange", "prime", "shell", "sony", "sprint", "target", "visa", "windows", "youtube"),
    }
)
_FEWEST_WORDS = 2
NAMED = "it"


def about(text: str, aspect: str | None) -> str:
    """What `text` says of `aspect`, with "it" in place of its name: what is said counts, and not of whom.

    The whole text where it names nobody beside a brand, where it does not name the aspect, or where the clauses that do
    say nothing ("Nike: arrived broken"); else those clauses, and the ones after them that refer back and name nothing
    else.
    """
    if not aspect or not aspect.strip():
        return text
    named = re.compile(rf"(?<!\w){re.escape(aspect.strip())}\w*", re.IGNORECASE)
    if _is_name(aspect) and _alone(text, named):
        return named.sub(NAMED, text)
    clauses = [part for clause in _END.split(text) for part in _parted(clause.strip(), aspect) if part]
    kept, going = [], False
    for clause in clauses:
        others = [name for name in _NAME.findall(clause) if not named.search(name) and name != clause.split()[0]]
        going = bool(named.search(clause)) or (going and not others and bool(_REFERS.search(clause)))
        if going:
            kept.append(clause)
    said = ", ".join(kept)
    return named.sub(NAMED, said if re.search(r"\w", named.sub("", said)) else text)


def _alone(text: str, named: re.Pattern[str]) -> bool:
    """Whether `text` names nobody else: no word with a capital within a sentence, but what follows the name as part of
    it, and no word that could be a name where a sentence or clause begins."""
    rest = re.sub(rf"(?i:{named.pattern})(?:\s+(?:[A-Z][\w&'-]*|\d[\w-]*))*", NAMED, text)
    for sentence in _SENTENCE_END.split(rest):
        first = _WORD.search(sentence)
        within = sentence[first.end() :] if first else ""
        if any(not _NOBODY.fullmatch(name) for name in _NAME.findall(within)):
            return False
        begins = (_WORD.search(clause) for clause in _END.split(sentence))
        if any(_is_name(found[0].lower().split("'")[0]) for found in begins if found):
            return False
    return True


def _is_name(words: str) -> bool:
    """Whether these words could name a brand: with a capital, or no ordinary ones."""
    return words != words.lower() or any(not _is_ordinary(word) for word in _WORD.findall(words))


def _is_ordinary(word: str) -> bool:
    stem, known = _ENDS.sub("", word), _ordinary()
    return word not in _NAMES and not known.isdisjoint({word, stem, f"{stem}e"})


@cache
def _ordinary() -> frozenset[str]:
    """Frequent English words, and those that tell sentiment."""
    with VOCABULARY.open(encoding="utf-8") as lines:
        return frozenset(line.strip() for line in islice(lines, FREQUENT)) | lexicon()


def _parted(clause: str, aspect: str) -> list[str]:
    """A clause parted before an `and` that another name follows."""
    for found in _AND.finditer(clause):
        left, right = clause[: found.start()].strip(), clause[found.end() :].strip()
        enough = min(len(left.split()), len(right.split())) >= _FEWEST_WORDS
        if enough and any(name.lower() != aspect.lower() for name in _NAME.findall(right)):
            return [left, right]
    return [clause]
