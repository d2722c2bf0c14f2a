"""The part of a text that is about one brand or thing in it."""

import re

_CONTRASTS = "but|however|while|whereas|whilst|although|though|yet|unlike"
_BACK = "it|its|it's|they|them|their|these|this|that|which|who|both|he|she|him|her"
#: Where a clause ends. Before `and` it does only where another name follows.
_END = re.compile(rf"[.;:!?,\n]+|\s-+\s|\b(?:{_CONTRASTS})\b", re.IGNORECASE)
_AND = re.compile(r"\band\b", re.IGNORECASE)
#: Words that speak of what was named before.
_REFERS = re.compile(rf"\b(?:{_BACK})\b", re.IGNORECASE)
_NAME = re.compile(r"\b[A-Z][\w&'-]+")
_FEWEST_WORDS = 2
NAMED = "it"


def about(text: str, aspect: str | None) -> str:
    """The clauses of `text` that name `aspect`, and those after them that refer back to it and name nothing else, with
    "it" in place of its name: what is said counts, and not of whom. The whole text where those clauses say nothing
    ("Nike: arrived broken"), or where it does not name the aspect."""
    if not aspect or not aspect.strip():
        return text
    clauses = [part for clause in _END.split(text) for part in _parted(clause.strip(), aspect) if part]
    named = re.compile(rf"(?<!\w){re.escape(aspect.strip())}\w*", re.IGNORECASE)
    kept, going = [], False
    for clause in clauses:
        others = [name for name in _NAME.findall(clause) if not named.search(name) and name != clause.split()[0]]
        going = bool(named.search(clause)) or (going and not others and bool(_REFERS.search(clause)))
        if going:
            kept.append(clause)
    said = ", ".join(kept)
    return named.sub(NAMED, said if re.search(r"\w", named.sub("", said)) else text)


def _parted(clause: str, aspect: str) -> list[str]:
    """A clause parted before an `and` that another name follows."""
    for found in _AND.finditer(clause):
        left, right = clause[: found.start()].strip(), clause[found.end() :].strip()
        enough = min(len(left.split()), len(right.split())) >= _FEWEST_WORDS
        if enough and any(name.lower() != aspect.lower() for name in _NAME.findall(right)):
            return [left, right]
    return [clause]
