"""The server that platforms post webhooks to: one route, which asks for their signature and for no key.

It is a process of its own, because it is the only part of adloop that the internet must reach.
"""

import logging
import sqlite3
from collections.abc import Awaitable, Callable

from fastapi import FastAPI, HTTPException, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel

from features.settings import Settings
from serving.access.body_limit import BodyLimit
from serving.integrations.credentials import NotConnected
from serving.integrations.webhooks import catalog
from serving.integrations.webhooks.events import BadWebhook, WrongSignature
from serving.integrations.webhooks.store import FILE, EventStore, Replayed

log = logging.getLogger("adloop.webhooks")

#: Largest body: SendGrid's batches stay below 768 KB.
BODY_LIMIT = 1024 * 1024


class WebhookReceipt(BaseModel):
    """What became of a webhook: its events, and how many of them had not come before."""

    events: int
    new: int


def make_app(settings: Settings) -> FastAPI:
    """The application."""
    store = EventStore(settings.home / FILE)
    app = FastAPI(title="adloop webhooks", version="1", docs_url=None, redoc_url=None)
    app.add_middleware(BodyLimit, limit=BODY_LIMIT)

    @app.post("/v1/webhooks/{platform}")
    async def receive(platform: str, request: Request) -> WebhookReceipt:
        """Take the webhook of a platform. An answer of 200 means that its events are on the disk."""
        if platform not in catalog.NAMES:
            raise HTTPException(404, f"platform: expected one of {', '.join(catalog.NAMES)}, got '{platform}'")
        delivery = catalog.read(platform, dict(request.headers), await request.body())
        return WebhookReceipt(events=len(delivery.events), new=await run_in_threadpool(store.record, delivery))

    @app.get("/health/live", include_in_schema=False)
    async def live() -> dict[str, bool]:
        return {"alive": True}

    for kind, status in _REFUSALS.items():
        app.add_exception_handler(kind, _refusal(status))
    return app


#: 406 tells Mailgun not to post again; on 503 both platforms do.
_REFUSALS: dict[type[Exception], int] = {
    WrongSignature: 401,
    BadWebhook: 400,
    Replayed: 406,
    NotConnected: 503,
    sqlite3.Error: 503,
}


def _refusal(status: int) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def answer(_: Request, error: Exception) -> Response:
        log.warning("refused a webhook: %s", error)
        told = str(error) if status < 500 else "webhooks are not taken now; the log has the reason"
        return JSONResponse({"error": told}, status)

    return answer
