"""Calls in Rest.li 2.0."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import httpx

from serving.integrations import rest
from serving.integrations.linkedin.credentials import LinkedInCredentials
from serving.integrations.linkedin.errors import LinkedInThrottle, raised
from serving.integrations.platform import Unanswered

PAGE = 100
#: Most keys of one call.
KEYS = 50
#: Longest address; a longer query is sent as the body of a POST that stands for a GET.
_LONGEST = 4000


def text(value: object) -> str:
    """A value within a query: what is not a letter or digit is escaped, and so are Rest.li's own signs."""
    return quote(str(value), safe="")


def listed(values: Iterable[object]) -> str:
    return f"List({','.join(text(value) for value in values)})"


class RestliClient:
    """Calls one version of the API as one member."""

    def __init__(self, credentials: LinkedInCredentials) -> None:
        headers = {
            "authorization": f"Bearer {credentials.access_token.get_secret_value()}",
            "linkedin-version": credentials.version,
            "x-restli-protocol-version": "2.0.0",
        }
        self._version, self._throttle = credentials.version, LinkedInThrottle()
        self._http = rest.client(f"{credentials.url}/rest/", **headers)

    def get(self, path: str) -> Mapping[str, Any]:
        if len(path) <= _LONGEST:
            return _json(self._asked("GET", path))
        place, _, query = path.partition("?")
        headers = {"x-http-method-override": "GET", "content-type": "application/x-www-form-urlencoded"}
        return _json(self._asked("POST", place, content=query, headers=headers))

    def create(self, path: str, body: Mapping[str, Any]) -> str:
        """The id of the new object, which the answer has in a header."""
        return self._asked("POST", path, json=body).headers["x-restli-id"]

    def update(self, path: str, patch: Mapping[str, Any]) -> None:
        self._asked("POST", path, json={"patch": patch}, headers={"x-restli-method": "PARTIAL_UPDATE"})

    def create_each(self, path: str, bodies: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """An answer for each: `id` and `status`, or `error`."""
        headers = {"x-restli-method": "BATCH_CREATE"}
        answer = self._asked("POST", path, json={"elements": bodies}, headers=headers)
        elements: list[Mapping[str, Any]] = _json(answer).get("elements", [])
        if len(elements) != len(bodies):
            raise Unanswered(f"POST {path}: {len(elements)} answers to {len(bodies)} creations")
        return elements

    def update_each(self, path: str, patches: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
        """The errors by key; empty where all was done."""
        body = {"entities": {key: {"patch": patch} for key, patch in patches.items()}}
        headers = {"x-restli-method": "BATCH_PARTIAL_UPDATE"}
        answer = self._asked("POST", f"{path}?ids={listed(patches)}", json=body, headers=headers)
        return dict(_json(answer).get("errors", {}))

    def get_each(self, path: str, keys: Iterable[str]) -> dict[str, Mapping[str, Any]]:
        """Objects by key; unknown keys are left out."""
        wanted, found = sorted(set(keys)), dict[str, Mapping[str, Any]]()
        for start in range(0, len(wanted), KEYS):
            found |= self.get(f"{path}?ids={listed(wanted[start : start + KEYS])}").get("results", {})
        return found

    def by_cursor(self, path: str, query: str) -> Iterator[Mapping[str, Any]]:
        """All elements of a finder that pages by tokens, as the collections of ads do."""
        token = ""
        while True:
            page = self.get(f"{path}?{query}&pageSize={PAGE}{f'&pageToken={text(token)}' if token else ''}")
            yield from page["elements"]
            token = page.get("metadata", {}).get("nextPageToken", "")
            if not token:
                return

    def by_count(self, path: str, query: str) -> Iterator[Mapping[str, Any]]:
        """All elements of a finder that pages by numbers; a page with fewer than were asked for is the last."""
        start, elements = 0, [{}] * PAGE
        while len(elements) == PAGE:
            elements = self.get(f"{path}?{query}&start={start}&count={PAGE}")["elements"]
            yield from elements
            start += PAGE

    def close(self) -> None:
        self._http.close()

    def _asked(self, method: str, path: str, **said: Any) -> httpx.Response:
        answer = rest.ask(self._http, method, path, **said)
        if answer.status_code >= 400:
            raise raised(answer, self._version, self._throttle)
        self._throttle.in_a_row = 0
        return answer


def _json(answer: httpx.Response) -> Mapping[str, Any]:
    """The body of an answer. Raises `Unanswered` where it is none of LinkedIn's, as of a gateway."""
    try:
        body = answer.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Unanswered(f"{answer.request.method} {answer.request.url.path}: answered {answer.status_code}, no object")
    return body
