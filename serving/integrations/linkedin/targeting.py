"""Targeting of campaigns: companies by URN, audiences of the account, and locations.

Only the facets below are written. Whatever else people set, as seniorities or exclusions, stays as it is.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from serving.integrations.change import Fields

_PREFIX = "urn:li:adTargetingFacet:"
_FACETS = {
    "locations": f"{_PREFIX}locations",
    "companies": f"{_PREFIX}employers",
    "audiences": f"{_PREFIX}audienceMatchingSegments",
}
#: Audiences that are excluded.
_EXCLUDED = "excluded_audiences"
FIELDS = (*_FACETS, _EXCLUDED)


def written(fields: Fields, now: Mapping[str, Any]) -> dict[str, Any]:
    """The criteria `now` with these fields changed. An empty list takes its facet away."""
    clauses = [dict(clause["or"]) for clause in now.get("include", {}).get("and", ())]
    for name, facet in _FACETS.items():
        if name in fields:
            _set(clauses, facet, list(fields[name]))
    criteria: dict[str, Any] = {**now, "include": {"and": [{"or": clause} for clause in clauses if clause]}}
    if _EXCLUDED in fields:
        excluded = {**now.get("exclude", {}).get("or", {}), _FACETS["audiences"]: list(fields[_EXCLUDED])}
        left = {facet: values for facet, values in excluded.items() if values}
        criteria.pop("exclude", None)
        criteria |= {"exclude": {"or": left}} if left else {}
    return criteria


def _set(clauses: list[dict[str, Any]], facet: str, values: list[str]) -> None:
    """Set a facet where it stands, or in a clause of its own, which narrows the others."""
    there = [clause for clause in clauses if clause.pop(facet, None) is not None]
    if values and there:
        there[0][facet] = values
    elif values:
        clauses.append({facet: values})


def read(criteria: Mapping[str, Any]) -> dict[str, list[str]]:
    """The fields of criteria; empty lists for facets that are not targeted."""
    clauses: Sequence[Mapping[str, Any]] = [
        clause.get("or", {}) for clause in criteria.get("include", {}).get("and", ())
    ]
    found = {name: [urn for clause in clauses for urn in clause.get(facet, ())] for name, facet in _FACETS.items()}
    return found | {_EXCLUDED: list(criteria.get("exclude", {}).get("or", {}).get(_FACETS["audiences"], ()))}
