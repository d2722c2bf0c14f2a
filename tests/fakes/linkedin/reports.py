"""Figures of ads, the same for the same day, and answers to a lead form."""

import re
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.fakes.linkedin import checks
from tests.fakes.linkedin.asked import by_count, query
from tests.fakes.linkedin.state import LinkedInState

_DAY = re.compile(r"year:(\d+),month:(\d+),day:(\d+)")
_SPAN = re.compile(r"\(start:(\d+),end:(\d+)\)")
_HOUR = 3_600_000
_QUESTIONS = [
    {"questionId": 1, "predefinedField": "WORK_EMAIL", "name": "Work e-mail"},
    {"questionId": 2, "predefinedField": "JOB_TITLE", "name": "Job title"},
    {"questionId": 3, "predefinedField": "LAST_NAME", "name": "Last name"},
    {"questionId": 4, "name": "How many machines?"},
]


async def analytics(state: LinkedInState, request: Request) -> Response:
    asked = query(request)
    if asked.get("q") != "analytics" or "pivot" not in asked or "accounts" not in asked:
        return JSONResponse(checks.old(400, "Invalid param: pivot and accounts are required"), 400)
    wanted, day = asked.get("fields", "").split(","), int(_DAY.findall(asked["dateRange"])[0][2])
    rows = []
    for urn in state.kept["creatives"]:
        figures: dict[str, Any] = {
            "pivotValues": [urn],
            "impressions": 1000 + day,
            "clicks": 10 + day,
            "costInLocalCurrency": f"{80 + day}.25",
            "externalWebsiteConversions": 2,
            "oneClickLeads": 1,
            "totalEngagements": 15 + day,
        }
        rows.append({name: value for name, value in figures.items() if name in wanted})
    return JSONResponse({"elements": rows, "paging": {"start": 0, "count": 10, "links": []}})


async def leads(state: LinkedInState, request: Request) -> Response:
    asked = query(request)
    start, end = (int(one) for one in _SPAN.findall(asked["submittedAtTimeRange"])[0])
    daily = response(f"daily-{start}", start + 9 * _HOUR, "Ada@Example.org ", "Head of Operations")
    found = [one for one in [daily, *state.leads] if start <= one["submittedAt"] < end]
    return JSONResponse(by_count(found, asked))


def response(key: str, at: int, email: str, title: str) -> dict[str, Any]:
    """The answers of one person."""
    said = ((1, email), (2, title), (3, "Lovelace"), (4, "12"))
    return {
        "id": key,
        "submittedAt": at,
        "testLead": False,
        "form": {"id": 71, "content": {"questions": _QUESTIONS}},
        "formResponse": {
            "answers": [
                {"questionId": number, "answerDetails": {"textQuestionAnswer": {"answer": text}}}
                for number, text in said
            ]
        },
        "leadMetadata": {"sponsoredLeadMetadata": {"campaign": "urn:li:sponsoredCampaign:2001"}},
    }
