"""What Meta accepts of an object, and how it says what is wrong."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.fakes.meta.state import MetaState

_KNOWN = {
    "campaign": "name objective status special_ad_categories daily_budget lifetime_budget start_time stop_time",
    "ad_group": "name campaign_id status daily_budget lifetime_budget bid_amount billing_event optimization_goal"
    " start_time end_time targeting",
    "ad": "name adset_id status creative",
    "audience": "name description subtype customer_file_source lookalike_spec origin_audience_id",
}
_PARENTS = {"ad_group": ("campaign_id", "campaign"), "ad": ("adset_id", "ad_group")}
_JSON = ("special_ad_categories", "targeting", "creative", "lookalike_spec")
LEAST_CENTS = 100


class GraphFault(Exception):
    """An error of the Graph API."""

    def __init__(self, code: int, message: str, subcode: int | None = None, blamed: str = "") -> None:
        super().__init__(message)
        told: dict[str, Any] = {"message": message, "type": "OAuthException", "code": code, "fbtrace_id": "A3"}
        if subcode is not None:
            told["error_subcode"] = subcode
        if blamed:
            told |= {"error_data": {"blame_field_specs": [[blamed]]}, "error_user_msg": f"{blamed} is not valid"}
        self.body = {"error": told}


def validated(state: "MetaState", kind: str, said: Mapping[str, Any], new: bool) -> dict[str, Any]:
    """The node's fields as they are kept. Raises `GraphFault`."""
    kept = {name: value for name, value in said.items() if name not in ("execution_options", "appsecret_proof")}
    unknown = sorted(set(kept) - set(_KNOWN[kind].split()))
    if unknown:
        raise GraphFault(100, f"(#100) Param {unknown[0]} is not a valid field", blamed=unknown[0])
    for name in _JSON:
        if name in kept:
            kept[name] = json.loads(kept[name])
    _sane(kept)
    if new:
        _complete(state, kind, kept)
    if kind == "audience" and "lookalike_spec" in kept:
        spec = {**kept["lookalike_spec"], "origin": [{"id": kept.pop("origin_audience_id")}]}
        kept["lookalike_spec"] = json.dumps(spec)
    return kept


def _sane(kept: Mapping[str, Any]) -> None:
    for name in ("daily_budget", "lifetime_budget"):
        if name in kept and int(kept[name]) < LEAST_CENTS:
            raise GraphFault(100, "Invalid parameter", subcode=1885272, blamed=name)
    if kept.get("status", "PAUSED") not in ("ACTIVE", "PAUSED", "DELETED", "ARCHIVED"):
        raise GraphFault(100, "Invalid parameter", blamed="status")


def _complete(state: "MetaState", kind: str, kept: dict[str, Any]) -> None:
    if not kept.get("name"):
        raise GraphFault(100, "(#100) The parameter name is required", blamed="name")
    if kind == "campaign" and "special_ad_categories" not in kept:
        raise GraphFault(100, "(#100) The parameter special_ad_categories is required", blamed="special_ad_categories")
    if kind in _PARENTS:
        field, parent = _PARENTS[kind]
        if state.nodes.get(str(kept.get(field)), {}).get("kind") != parent:
            raise GraphFault(100, f"(#100) {field} is not a valid id", blamed=field)
    if kind == "ad":
        kept["campaign_id"] = state.nodes[kept["adset_id"]]["campaign_id"]
