"""Calls to PostHog, never repeated, and what its answers mean."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import httpx
import requests
from posthog.request import USER_AGENT as SDK_AGENT
from posthog.request import APIError, batch_post, determine_server_host

from serving.integrations.change import PlatformFault
from serving.integrations.credentials import USER_AGENT
from serving.integrations.platform import CallRefused, Denied, LoginExpired, Throttled, Unanswered
from serving.integrations.posthog.credentials import PosthogCredentials
from serving.integrations.rest import PATIENCE_S, ask, client

#: Seconds to wait where a throttled answer tells none.
MINUTE_S = 60.0
_SECONDS = re.compile(r"available in (\d+) second")


class PosthogCalls:
    """Attributes:
    project: path of the project's API.
    """

    def __init__(self, credentials: PosthogCredentials) -> None:
        self.project = f"/api/projects/{credentials.project}"
        self._key, self._host = credentials.project_key.get_secret_value(), determine_server_host(credentials.url)
        personal = credentials.personal_key.get_secret_value()
        self._http = client(credentials.url, authorization=f"Bearer {personal}")
        self._events = requests.Session()  # the SDK's own connects again by itself

    def capture(self, events: Sequence[dict[str, Any]]) -> None:
        """Send events, all or none of them."""
        try:
            answer = batch_post(
                self._key,
                self._host,
                timeout=PATIENCE_S,
                session=self._events,
                batch=list(events),
                _user_agent=f"{SDK_AGENT} {USER_AGENT}",
            )
        except APIError as refused:
            _refuse(int(refused.status), str(refused.message), refused.retry_after, "ADLOOP_POSTHOG_PROJECT_KEY")
        except requests.RequestException as fault:
            raise Unanswered(f"posthog: batch: no answer ({type(fault).__name__})") from None
        else:
            if "events" in (answer.json() or {}).get("quota_limited", []):
                raise Denied("posthog: the project is above its billing limit and drops events; raise it in PostHog")

    def ask(self, method: str, path: str, **said: Any) -> Any:
        """The body of an answer; None where there is no such thing (404)."""
        answer = ask(self._http, method, path, **said)
        if answer.status_code == 404:
            return None
        if answer.status_code >= 400:
            told = _json(answer)
            wait = answer.headers.get("retry-after", "")
            retry_after = float(wait) if wait.isdigit() else None
            detail, field = str(told.get("detail") or answer.reason_phrase), str(told.get("attr") or "")
            _refuse(answer.status_code, detail, retry_after, "ADLOOP_POSTHOG_PERSONAL_KEY", field)
        return _json(answer)

    def query(self, query: str, **values: Any) -> list[list[Any]]:
        """Rows of a HogQL query; `{name}` in it stands for a value."""
        asked = {"kind": "HogQLQuery", "query": query, "values": values}
        found = self.ask("POST", f"{self.project}/query/", json={"query": asked})
        return list(found["results"])

    def pages(self, path: str, **asked: Any) -> Iterator[dict[str, Any]]:
        """Results of all pages."""
        said = self.ask("GET", path, params={"limit": 100, **asked})
        while said:
            yield from said["results"]
            said = self.ask("GET", said["next"]) if said.get("next") else None

    def close(self) -> None:
        self._http.close()
        self._events.close()


def _refuse(status: int, message: str, retry_after: float | None, key: str, field: str = "") -> None:
    match status:
        case 401:
            raise LoginExpired(f"posthog: {message}; make a new key and set {key}")
        case 403:
            raise Denied(f"posthog: {message}; give the key of {key} this scope")
        case 429:
            found = _SECONDS.search(message)
            told = float(found[1]) if found else MINUTE_S
            raise Throttled(told if retry_after is None else retry_after, f"posthog: {message}")
        case status if status >= 500:
            raise Unanswered(f"posthog: answered {status}")
        case _:
            raise CallRefused(PlatformFault(str(status), message, field))


def _json(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        return {}
