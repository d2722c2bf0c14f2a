"""The Graph API's paths, errors, pages and batches."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.fakes.fake import TURN
from tests.fakes.faults import Script
from tests.fakes.meta.examples import ACCOUNT, PIXEL, TOKEN
from tests.fakes.meta.state import EDGES, MetaState, account
from tests.fakes.meta.validation import GraphFault, validated
from tests.fakes.rest import Scripted, serve

VERSIONS = ("v24.0", "v25.0", "v26.0")
Said = dict[str, Any]


@contextmanager
def serving(state: MetaState, script: Script) -> Iterator[str]:
    """Serve the state; gives the address."""
    graph = GraphPaths(state, script)
    app = Starlette(routes=[Route("/{path:path}", graph.answer, methods=["GET", "POST", "DELETE"])])
    with serve(Scripted(app, script)) as url:
        yield url


class GraphPaths:
    def __init__(self, state: MetaState, script: Script) -> None:
        self.state, self.script = state, script

    async def answer(self, request: Request) -> Response:
        said: Said = {**dict(request.query_params), **{name: value for name, value in (await request.form()).items()}}
        version, _, path = request.url.path.strip("/").partition("/")
        try:
            if version not in VERSIONS:
                raise GraphFault(2635, f"(#2635) You are calling a deprecated version of the Ads API ({version}).")
            if said.pop("access_token", "") != TOKEN:
                raise GraphFault(190, "Invalid OAuth access token.")
            with TURN:
                if request.method == "POST" and not path:
                    return JSONResponse(self._batch(version, json.loads(said["batch"])))
                return JSONResponse(self._one(request.method, path, said))
        except GraphFault as fault:
            return JSONResponse(fault.body, 400)

    def _batch(self, version: str, calls: list[Mapping[str, str]]) -> list[Any]:
        if len(calls) > 50:
            raise GraphFault(100, "Too many requests in batch. The maximum is 50.")
        return [self._of_batch(version, call) for call in calls]

    def _of_batch(self, version: str, call: Mapping[str, str]) -> Any:
        """A call of a batch fails alone; it meets scripted faults as a call of its own."""
        target = urlsplit(call["relative_url"])
        said = dict(parse_qsl(target.query)) | dict(parse_qsl(call.get("body", "")))
        path = target.path.strip("/")
        noted, fault = self.script.come(f"{call['method']} /{version}/{path}", {"user-agent": "adloop/ in a batch"})
        if fault is not None and fault.lost:
            noted.status = "lost"
            if fault.lost == "after":
                self._one(call["method"], path, said)
            return None
        if fault is not None and fault.status is not None:
            noted.status = fault.status
            return _answer(int(fault.status), fault.body, fault.headers)
        try:
            return _answer(200, self._one(call["method"], path, said), {})
        except GraphFault as refused:
            return _answer(400, refused.body, {})

    def _one(self, method: str, path: str, said: Said) -> Any:
        first, _, edge = path.partition("/")
        if method == "GET":
            return self._get(first, edge, said)
        if edge in EDGES and first == f"act_{ACCOUNT}":
            return self._create(EDGES[edge], said)
        if edge == "events" and first == PIXEL:
            return self._events(json.loads(said["data"]), "test_event_code" in said)
        if edge == "users" and first in self.state.nodes:
            return self._users(first, json.loads(said["payload"]))
        if first in self.state.nodes and not edge:
            return self._change(first, said)
        raise GraphFault(100, f"Unsupported post request. Object with ID '{first}' does not exist", subcode=33)

    def _create(self, kind: str, said: Said) -> Any:
        kept = validated(self.state, kind, said, new=True)
        if "validate_only" in said.get("execution_options", ""):
            return {"success": True}
        return {"id": self.state.put(kind, kept)}

    def _change(self, node_id: str, said: Said) -> Any:
        kept = validated(self.state, self.state.nodes[node_id]["kind"], said, new=False)
        if "validate_only" not in said.get("execution_options", ""):
            self.state.change(node_id, kept)
        return {"success": True}

    def _events(self, events: list[Said], testing: bool) -> Any:
        """An event id counts once."""
        for event in events:
            if not event.get("user_data"):
                raise GraphFault(100, "Invalid parameter", subcode=2804050, blamed="user_data")
            if not testing:
                self.state.events.setdefault((PIXEL, event["event_id"]), event)
        return {"events_received": len(events), "fbtrace_id": "A2"}

    def _users(self, audience: str, payload: Said) -> Any:
        found = self.state.members.setdefault(audience, set())
        found |= {row[0] for row in payload["data"]}
        return {"audience_id": audience, "num_received": len(payload["data"]), "num_invalid_entries": 0}

    def _get(self, first: str, edge: str, said: Said) -> Any:
        if not first and "ids" in said:
            wanted = [one for one in said["ids"].split(",") if one in self.state.nodes]
            return {one: _shown(self.state.nodes[one]) for one in wanted}
        if first == "me":
            granted = [{"permission": one, "status": "granted"} for one in ("ads_management", "ads_read")]
            return {"data": granted} if edge == "permissions" else {"id": "42", "name": "adloop system user"}
        if first == f"act_{ACCOUNT}":
            return self._of_account(edge, said) if edge else account()
        if first in self.state.nodes and not edge:
            return _shown(self.state.nodes[first])
        raise GraphFault(100, f"Unsupported get request. Object with ID '{first}' does not exist", subcode=33)

    def _of_account(self, edge: str, said: Said) -> Any:
        if edge == "activities":
            return {"data": self.state.activities}
        if edge == "insights":
            return _page(self.state.insights(json.loads(said["time_range"])["since"]), said)
        wanted = [one for one in json.loads(said.get("filtering", "[]")) if one["operator"] == "CONTAIN"]
        found = [
            _shown(node)
            for node in self.state.of(EDGES[edge])
            if all(one["value"] in str(node.get(one["field"], "")) for one in wanted)
        ]
        return _page(found, said)


def _page(found: list[Any], said: Said) -> Any:
    """A page of at most three, so that whoever takes a short page for the last one is found out."""
    start, size = int(said.get("after") or 0), min(int(said.get("limit", 25)), 3)
    page = {"data": found[start : start + size]}
    cursors = {"before": str(start), "after": str(start + size)}
    more = {"next": "https://graph.example/next"} if start + size < len(found) else {}
    return {**page, "paging": {"cursors": cursors, **more}} if page["data"] else page


def _shown(node: Mapping[str, Any]) -> Said:
    """Budgets are shown as text."""
    texts = {name: str(node[name]) for name in ("daily_budget", "lifetime_budget") if name in node}
    return {**{name: value for name, value in node.items() if name != "kind"}, **texts}


def _answer(code: int, body: Any, headers: Mapping[str, str]) -> dict[str, Any]:
    listed = [{"name": name, "value": value} for name, value in headers.items()]
    return {"code": code, "headers": listed, "body": json.dumps(body)}
