"""Access of a transaction to the books of the embedded store."""

from collections.abc import Callable
from typing import Any

from serving.decisions.state.book import SEPARATOR

Book = dict[str, Any]


class Pages:
    """Books by key: read once per transaction, changed in memory, written at its end."""

    def __init__(self, read: Callable[[Any], Book | None]) -> None:
        self._read = read
        self.changed: dict[Any, Book] = {}

    def __getitem__(self, key: Any) -> Book:
        if key not in self.changed:
            self.changed[key] = self._read(key) or {}
        return self.changed[key]


def campaign_key(account: str, campaign: str) -> str:
    return SEPARATOR.join(("campaign", account, campaign))


def account_key(account: str) -> str:
    return SEPARATOR.join(("account", account))


def segments_key(account: str, campaign: str) -> str:
    return SEPARATOR.join(("segments", account, campaign))


def evidence_key(account: str, campaign: str, version: str) -> str:
    return SEPARATOR.join(("evidence", account, campaign, version))


def arms_key(account: str, campaign: str, version: str) -> str:
    return SEPARATOR.join(("arms", account, campaign, version))


def shown_key(day: int, account: str, customer: str) -> str:
    """What a customer was shown on a day; the day comes first, so that past days are a range of keys."""
    return SEPARATOR.join(("shown", f"{day:08d}", account, customer))


def customer_key(account: str, customer: str) -> str:
    return SEPARATOR.join(("customer", account, customer))
