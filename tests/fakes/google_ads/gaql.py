"""The Google Ads query language: from text to a query."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.fakes.google_ads.failures import Refusal

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")|(?P<sign>!=|<=|>=|[=<>(),])|(?P<word>[\w.\-*]+))"
)
_WORDS = {"IN", "NOT", "LIKE", "CONTAINS", "IS", "BETWEEN", "DURING", "REGEXP_MATCH"}


@dataclass(frozen=True)
class Condition:
    field: str
    operator: str
    values: tuple[str, ...] = ()


@dataclass
class Query:
    fields: list[str]
    resource: str
    conditions: list[Condition] = field(default_factory=list)
    order: list[tuple[str, bool]] = field(default_factory=list)
    limit: int | None = None


class Tokens:
    """The words of a query, one after the other. Texts keep a leading quote, so that they differ from names."""

    def __init__(self, query: str) -> None:
        self._ones, self._next = list(_tokens(query)), 0

    def peek(self) -> str:
        return self._ones[self._next] if self._next < len(self._ones) else ""

    def take(self) -> str:
        one = self.peek()
        if not one:
            raise Refusal("query_error.UNEXPECTED_END_OF_QUERY", "Error in query: unexpected end of query.")
        self._next += 1
        return one

    def taken(self, word: str) -> bool:
        if self.peek().upper() != word:
            return False
        self._next += 1
        return True

    def expect(self, word: str, code: str) -> None:
        if not self.taken(word):
            raise Refusal(f"query_error.{code}", f"Error in query: expected {word}, got '{self.peek()}'.")

    def value(self) -> str:
        return self.take().removeprefix("'")

    def values(self) -> tuple[str, ...]:
        self.expect("(", "EXPECTED_LIST")
        found = [self.value()]
        while self.taken(","):
            found.append(self.value())
        self.expect(")", "EXPECTED_LIST")
        return tuple(found)


def _tokens(query: str) -> Iterator[str]:
    place, query = 0, query.rstrip()
    while place < len(query):
        found = _TOKEN.match(query, place)
        if not found:
            raise Refusal("query_error.BAD_SYMBOL", f"Error in query: unexpected input {query[place:][:20]}.")
        place = found.end()
        text = found["text"]
        yield "'" + re.sub(r"\\(.)", r"\1", text[1:-1]) if text else found["sign"] or found["word"]


def parse(query: str) -> Query:
    """The query of a text. Raises `Refusal` with Google's code."""
    tokens = Tokens(query)
    tokens.expect("SELECT", "EXPECTED_SELECT")
    fields = [tokens.take()]
    while tokens.taken(","):
        fields.append(tokens.take())
    tokens.expect("FROM", "EXPECTED_FROM")
    found = Query(fields, tokens.take())
    if tokens.taken("WHERE"):
        found.conditions.append(_condition(tokens))
        while tokens.taken("AND"):
            found.conditions.append(_condition(tokens))
    if tokens.taken("ORDER"):
        tokens.expect("BY", "EXPECTED_BY")
        found.order.append(_order(tokens))
        while tokens.taken(","):
            found.order.append(_order(tokens))
    if tokens.taken("LIMIT"):
        found.limit = _limit(tokens.take())
    if tokens.peek():
        raise Refusal("query_error.UNEXPECTED_INPUT", f"Error in query: unexpected input {tokens.peek()}.")
    return found


def _limit(said: str) -> int:
    if not said.isdigit():
        raise Refusal("query_error.BAD_LIMIT_VALUE", f"Error in query: bad limit {said}.")
    return int(said)


def _order(tokens: Tokens) -> tuple[str, bool]:
    name = tokens.take()
    if tokens.taken("DESC"):
        return name, True
    tokens.taken("ASC")
    return name, False


def _condition(tokens: Tokens) -> Condition:
    name, words = tokens.take(), list[str]()
    if tokens.peek() in ("=", "!=", "<", ">", "<=", ">="):
        return Condition(name, tokens.take(), (tokens.value(),))
    while tokens.peek().upper() in _WORDS | {"NULL", "ANY", "ALL", "NONE"}:
        words.append(tokens.take().upper())
    operator = " ".join(words)
    if operator in ("IN", "NOT IN", "CONTAINS ANY", "CONTAINS ALL", "CONTAINS NONE"):
        return Condition(name, operator, tokens.values())
    if operator in ("LIKE", "NOT LIKE", "REGEXP_MATCH"):
        return Condition(name, operator, (tokens.value(),))
    if operator == "BETWEEN":
        low = tokens.value()
        tokens.expect("AND", "EXPECTED_AND")
        return Condition(name, operator, (low, tokens.value()))
    if operator in ("IS NULL", "IS NOT NULL"):
        return Condition(name, operator)
    raise Refusal("query_error.BAD_OPERATOR", f"Error in query: bad operator '{operator or tokens.peek()}'.")
