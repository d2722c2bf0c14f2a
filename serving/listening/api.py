"""HTTP routes of social listening, for the text server."""

from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query
from pydantic import BaseModel, ConfigDict, Field

from features.settings import Settings
from serving.listening.brands import BadBrands, Brands, load
from serving.listening.listener import Listener, told
from serving.listening.matching import Embed
from serving.listening.sentiment import SentimentClassifier
from serving.listening.store import MentionStore, MentionsUnavailable
from serving.listening.summary import DAYS, MOST_DAYS, Summary, summarize

#: Most posts of a request.
MOST = 1_000


class Posts(BaseModel):
    """Posts in any order. Each is an object with the columns of the table `mentions`."""

    model_config = ConfigDict(extra="forbid")
    mentions: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=MOST)]


class RefusedMention(BaseModel):
    """A post that was not taken: its place in the request, the field, what was expected and what was found."""

    place: int
    field: str
    expected: str
    got: str


class MentionsReceipt(BaseModel):
    """What became of the posts; `known` were counted before, `unnamed` mention no brand of the list."""

    counted: int
    known: int
    unnamed: int
    refused: list[RefusedMention]
    alarms: list[dict[str, Any]]


def brands_file(settings: Settings) -> Path:
    """The brand list: `ADLOOP_BRANDS`, or under the home."""
    return settings.brands or settings.home / "listening" / "brands.yaml"


def store(settings: Settings) -> MentionStore:
    """What was heard in a home."""
    return MentionStore(settings.home / "listening" / "heard.db")


def router(settings: Settings, classifier: SentimentClassifier, embed: Embed) -> APIRouter:
    """The routes."""
    parts = _Parts(settings, classifier, embed)
    routes = APIRouter(prefix="/v1/listening", tags=["listening"])

    # No coroutines: reading posts takes seconds, and waits for other writers.
    @routes.post("/mentions", summary="Take posts about the brands of the list; each counts once.")
    def take(posts: Posts) -> MentionsReceipt:
        with _Answers():
            taken = parts.listener().take(posts.mentions)
        refused = [
            RefusedMention(place=at, field=wrong.field, expected=wrong.expected, got=wrong.got)
            for at, wrong in taken.refused
        ]
        alarms = [told(one) for one in taken.raised]
        return MentionsReceipt(
            counted=taken.counted, known=taken.known, unnamed=taken.unnamed, refused=refused, alarms=alarms
        )

    @routes.get("/{brand}", summary="What was heard of a brand: totals, sentiment, series, alarms and phrases.")
    def heard(brand: str, days: Annotated[int, Query(ge=1, le=MOST_DAYS)] = DAYS) -> Summary:
        with _Answers():
            brands = parts.brands()
            name = next((one for one in brands.names if one.casefold() == brand.casefold()), None)
            if name is None:
                raise HTTPException(404, f"brand: expected one of {', '.join(brands.names)}, got '{brand[:80]}'")
            return summarize(parts.store, brands, [name], days)[0]

    return routes


class _Parts:
    """The store, and the listener of the brand list as it is now."""

    def __init__(self, settings: Settings, classifier: SentimentClassifier, embed: Embed) -> None:
        self.store, self._file = store(settings), brands_file(settings)
        self._classifier, self._embed = classifier, embed
        self._read: tuple[float, Listener] | None = None

    def brands(self) -> Brands:
        return self.listener().brands

    def listener(self) -> Listener:
        """Raises `BadBrands`."""
        try:
            changed = self._file.stat().st_mtime
        except OSError as missing:
            where = "set ADLOOP_BRANDS to the file of the brand list, or put it there"
            raise BadBrands(f"{self._file} is not there: {where}") from missing
        if self._read is None or self._read[0] != changed:
            self._read = changed, Listener(self.store, load(self._file), self._classifier, self._embed)
        return self._read[1]


class _Answers:
    """Answers 503 where a part is missing, saying what to do."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if isinstance(error, BadBrands | MentionsUnavailable | LookupError):
            raise HTTPException(503, str(error), {"retry-after": "30"}) from error
