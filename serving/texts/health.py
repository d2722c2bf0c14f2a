"""Whether the text server is ready: its classifier and its stores, without any of which some requests fail."""

import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import FastAPI
from fastapi.responses import JSONResponse, Response
from redis import RedisError

from features.settings import Settings
from serving.content.feedback import feedback
from serving.conversations import api as conversations
from serving.health.readiness import Part, Readiness
from serving.listening import api as listening
from serving.listening.store import MentionsUnavailable
from serving.texts.classifier import ReleasedClassifier
from serving.texts.metrics import UNREADY


def readiness(settings: Settings, classifier: ReleasedClassifier) -> Readiness:
    """Checks of all parts; a classifier of which no version was released is left out, and no fault."""
    drafts, talks, heard = feedback(settings), conversations.kept(settings), listening.store(settings)
    parts = {
        "classifier": classifier.fault,
        "content": _fault_of(lambda: drafts.of("")),
        "conversations": _fault_of(lambda: talks.load("")),
        "listening": _fault_of(lambda: heard.rows("SELECT 1")),
    }
    return Readiness(parts, classifier.left_out, UNREADY)


def running(checks: Readiness) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """The lifespan of an application with these checks."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        checks.start()
        yield
        checks.close()

    return lifespan


def ready(checks: Readiness) -> Callable[[], Awaitable[Response]]:
    """The route: 200, or 503 with the reason of each part that fails."""

    async def route() -> Response:
        reasons = checks.reasons
        told = {"ready": not reasons, "reasons": reasons, "left_out": dict(checks.left_out)}
        return JSONResponse(told, 503 if reasons else 200)

    return route


def _fault_of(read: Callable[[], object]) -> Part:
    def fault() -> str | None:
        try:
            read()
        except (sqlite3.Error, RedisError, OSError, MentionsUnavailable) as away:
            return f"{type(away).__name__}: {away}"
        return None

    return fault
