"""One call to Mailgun, never repeated, and what its answers mean."""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlparse

from mailgun.client import Client
from mailgun.config import RetryPolicy
from mailgun.endpoints import Endpoint
from mailgun.handlers.error_handler import ApiError

from serving.integrations.change import PlatformFault
from serving.integrations.credentials import USER_AGENT
from serving.integrations.mailgun.credentials import MailgunCredentials
from serving.integrations.platform import CallRefused, Denied, LoginExpired, Throttled, Unanswered
from serving.integrations.rest import PATIENCE_S

#: Seconds to wait where a throttled answer tells none.
MINUTE_S = 60.0
#: Names of the platform's parameters in the words of changes.
_FIELDS = {"html": "body", "o:deliverytime": "send_at", "from": "sender", "t:variables": "values"}
_PARAMETER = re.compile(r"(?:'|\b)(to|from|subject|html|template|o:deliverytime|t:variables)(?:'| parameter)")


class MailgunCalls:
    """The vendor's client, whose every answer becomes a value or an error of `platform`."""

    def __init__(self, credentials: MailgunCredentials) -> None:
        login = "api", credentials.api_key.get_secret_value()
        self._domain, self._headers = credentials.domain, {"User-Agent": f"mailgun-api-python {USER_AGENT}"}
        self._client = Client(
            login, api_url=credentials.url, timeout=PATIENCE_S, retry_policy=RetryPolicy(max_retries=0)
        )

    def get(self, endpoint: str, filters: Mapping[str, Any] | None = None, **named: Any) -> Any:
        """The answer of an endpoint such as `events`; None where there is no such thing (404)."""
        return self._ask(getattr(self._client, endpoint), "get", filters=filters, **named)

    def post(self, endpoint: str, said: Mapping[str, Any]) -> Any:
        return self._ask(getattr(self._client, endpoint), "create", data=said)

    def pages(self, filters: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Events of all pages."""
        said = self.get("events", filters) or {}
        while said.get("items"):
            yield from said["items"]
            token = urlparse(said["paging"]["next"]).path.rpartition("/")[2]
            place = {"base": f"{self._client.config.api_url}/v3", "keys": ("events", token)}
            page = Endpoint(place, {}, self._client.auth, self._client._session, timeout=PATIENCE_S)
            said = self._ask(page, "get") or {}

    def close(self) -> None:
        self._client.close()

    def _ask(self, endpoint: Any, method: str, **named: Any) -> Any:
        try:
            answer = getattr(endpoint, method)(domain=self._domain, headers=dict(self._headers), **named)
        except ApiError as fault:
            raise Unanswered(f"mailgun: no answer ({type(fault.__cause__ or fault).__name__})") from None
        if answer.status_code < 300:
            return _json(answer)
        return _refusal(answer)


def _refusal(answer: Any) -> None:
    """None for a 404 of a thing."""
    message = str((_json(answer) or {}).get("message") or answer.reason)
    match answer.status_code:
        case 404 if not message.startswith("Domain not found"):
            return
        case 401:
            raise LoginExpired("mailgun: the key is not taken; make a new one and set ADLOOP_MAILGUN_API_KEY")
        case 402 | 403 | 404:
            raise Denied(f"mailgun: {message}; see ADLOOP_MAILGUN_DOMAIN and the role of ADLOOP_MAILGUN_API_KEY")
        case 429:
            wait = answer.headers.get("Retry-After", "")
            raise Throttled(float(wait) if wait.isdigit() else MINUTE_S, f"mailgun: {message}")
        case status if status >= 500:
            raise Unanswered(f"mailgun: answered {status}")
        case status:
            raise CallRefused(PlatformFault(str(status), message, _field(message)))


def _field(message: str) -> str:
    """The field that a message names; Mailgun tells it nowhere else."""
    found = _PARAMETER.search(message)
    return _FIELDS.get(found[1], found[1]) if found else ""


def _json(answer: Any) -> Any:
    try:
        return answer.json()
    except ValueError:  # a refused login answers in plain text
        return None
