"""Google's OAuth endpoint: gives access tokens for a refresh token."""

import secrets
from typing import Any
from urllib.parse import parse_qs
from weakref import WeakKeyDictionary

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.fakes.google_ads.state import GoogleAdsState

CLIENT_ID, CLIENT_SECRET = "adloop.apps.example", "s3cr3t-client"
REFRESH_TOKEN, DEVELOPER_TOKEN = "s3cr3t-refresh", "s3cr3t-developer"
_ISSUED: WeakKeyDictionary[Any, set[str]] = WeakKeyDictionary()


def issued(state: GoogleAdsState) -> set[str]:
    """The access tokens of an account."""
    return _ISSUED.setdefault(state, set())


def tokens(state: GoogleAdsState) -> Starlette:
    async def token(request: Request) -> Response:
        said = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        if (said.get("client_id"), said.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            return JSONResponse({"error": "invalid_client", "error_description": "Unauthorized"}, 401)
        if said.get("grant_type") != "refresh_token" or said.get("refresh_token") != REFRESH_TOKEN:
            told = {"error": "invalid_grant", "error_description": "Token has been expired or revoked."}
            return JSONResponse(told, 400)
        made = f"ya29.{secrets.token_urlsafe(24)}"
        issued(state).add(made)
        scope = "https://www.googleapis.com/auth/adwords"
        return JSONResponse({"access_token": made, "expires_in": 3599, "scope": scope, "token_type": "Bearer"})

    return Starlette(routes=[Route("/token", token, methods=["POST"])])
