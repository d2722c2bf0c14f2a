"""Calls to Salesforce, each made once."""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from math import ceil
from typing import Any
from urllib.parse import urlsplit

import requests
from simple_salesforce import Salesforce
from simple_salesforce.exceptions import SalesforceError

from serving.integrations.credentials import USER_AGENT
from serving.integrations.platform import LoginExpired, Throttled, Unanswered
from serving.integrations.rest import PATIENCE_S
from serving.integrations.salesforce import errors
from serving.integrations.salesforce.credentials import SalesforceCredentials

Record = Mapping[str, Any]
#: Most records of a collection.
MOST = 200
#: Most values within a query, whose address ends at 16 KB: a hash and its quotes take 75 signs.
_NAMED = 100
#: The share of the day's calls that is left to the organization's other programs and people.
_USED = 0.95


def quoted(values: Iterable[str]) -> str:
    """Texts within SOQL: `('a', 'b')`."""
    escaped = [value.replace("\\", "\\\\").replace("'", "\\'") for value in values]
    return "({})".format(", ".join(f"'{one}'" for one in escaped))


def parts(values: Iterable[str]) -> Iterator[list[str]]:
    """The values, as many at a time as one query may name."""
    every = sorted(set(values))
    yield from (every[start : start + _NAMED] for start in range(0, len(every), _NAMED))


class SalesforceCalls:
    """The vendor's client at a URL of any scheme, with its errors in the words of `platform`."""

    def __init__(self, credentials: SalesforceCredentials, names: Mapping[str, str]) -> None:
        session = requests.Session()
        session.headers["User-Agent"] = USER_AGENT
        token, host = credentials.access_token.get_secret_value(), urlsplit(credentials.url).netloc
        self._client = Salesforce(session_id=token, instance=host, version=credentials.version, session=session)
        self._client.base_url = f"{credentials.url}/services/data/v{credentials.version}/"
        self._credentials, self._version, self._names = credentials, credentials.version, names
        self._spare_until = 0.0

    def ask(self, method: str, path: str, **said: Any) -> Any:
        """The answer to a call as JSON; None where it is empty."""
        if time.time() < self._spare_until:
            raise Throttled(self._spare_until - time.time(), "nearly all calls of the day are used")
        try:
            answer = self._once(method, path, **said)
        except LoginExpired:
            if not self._credentials.client_id:
                raise
            self._renew()  # a call that came without a login was not done
            answer = self._once(method, path, **said)
        self._spare()
        return answer

    def _once(self, method: str, path: str, **said: Any) -> Any:
        try:
            return self._client.restful(path, method=method, timeout=PATIENCE_S, **said)
        except SalesforceError as refused:
            raise errors.raised(refused, self._version, self._names) from None
        except (requests.RequestException, TypeError) as fault:  # a body `null` makes the client fail by its length
            raise Unanswered(f"{method} {path}: no answer ({type(fault).__name__})") from None

    def _renew(self) -> None:
        """Fetch a new token by the app's credentials."""
        said = {
            "grant_type": "client_credentials",
            "client_id": self._credentials.client_id,
            "client_secret": self._credentials.client_secret.get_secret_value(),
        }
        try:
            place = f"{self._credentials.url}/services/oauth2/token"
            answer = self._client.session.post(place, data=said, timeout=PATIENCE_S)
            told = answer.json()
        except requests.RequestException as fault:
            raise Unanswered(f"POST oauth2/token: no answer ({type(fault).__name__})") from None
        if "access_token" not in told:
            why = told.get("error_description", answer.status_code)
            raise LoginExpired(
                f"salesforce: {why}; set ADLOOP_SALESFORCE_CLIENT_ID and ADLOOP_SALESFORCE_CLIENT_SECRET of an app that"
                " may use the flow of client credentials"
            )
        self._client.headers["Authorization"] = f"Bearer {told['access_token']}"

    def query(self, soql: str, deleted: bool = False) -> Iterator[Record]:
        """All records of a query, page by page."""
        path, said = "queryAll" if deleted else "query", {"params": {"q": soql}}
        while True:
            page = self.ask("GET", path, **said)
            if not isinstance(page, dict):
                raise Unanswered(f"GET {path}: answered with no object")
            yield from page["records"]
            if page["done"]:
                return
            path, said = f"query/{page['nextRecordsUrl'].rsplit('/', 1)[1]}", {}

    def collection(self, method: str, path: str, records: Sequence[Record]) -> list[Record]:
        """Write up to 200 records; an answer for each, of which some may be errors. `path` is empty, or names the type
        and the external id of an upsert."""
        said = {"allOrNone": False, "records": records}
        answers = list(self.ask(method, f"composite/sobjects{path}", json=said) or ()) if records else []
        if len(answers) != len(records):
            raise Unanswered(f"{method} composite/sobjects{path}: {len(answers)} answers to {len(records)} records")
        return answers

    def change(self, kind: str, key: str, fields: Record, seen: str = "") -> None:
        """Set fields of one record, unless it was edited after `seen`."""
        headers = {"If-Unmodified-Since": _http_date(seen)} if seen else {}
        self.ask("PATCH", f"sobjects/{kind}/{key}", json=fields, headers=headers)

    def close(self) -> None:
        self._client.session.close()

    def _spare(self) -> None:
        """Leave the last of the day's calls to others: every answer tells how many were made."""
        usage = self._client.api_usage.get("api-usage")
        if usage is not None and usage.used >= _USED * usage.total:
            self._spare_until = time.time() + errors.DAY_S


def _http_date(stamp: str) -> str:
    """The end of the second of a time, as dates in headers have no fractions of it."""
    seconds = ceil(datetime.fromisoformat(stamp).timestamp())
    return format_datetime(datetime.fromtimestamp(seconds, UTC), usegmt=True)
