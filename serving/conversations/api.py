"""The routes of conversations: a turn, a person's part, and the summary."""

from base64 import b64encode
from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Body, HTTPException, Query
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

from features.settings import Settings
from models.speech.sound import InvalidSound
from models.speech.weights import NoVoice
from serving.conversations.assistant import Assistant, Busy, UnknownConversation
from serving.conversations.rules import rules
from serving.conversations.shop import shop
from serving.conversations.state import Conversation
from serving.conversations.store import ConversationStore, store
from serving.conversations.summary import conversations, summarize
from serving.conversations.understanding import NoClassifier, TurnClassifier
from serving.conversations.voice import converse

Answer = TypeVar("Answer")
User = Annotated[str, Field(min_length=1, max_length=100)]
CustomerValue = Annotated[FiniteFloat, Field(ge=0)]
_STRICT = ConfigDict(extra="forbid")


class UserTurn(BaseModel):
    """A user's turn.

    Attributes:
        user: who writes, by the caller's own id.
        customer_value: what the family `ltv` expects of a known customer.
    """

    model_config = _STRICT

    user: User
    text: Annotated[str, Field(max_length=2_000_000)]
    customer_value: CustomerValue | None = None


class TurnCorrection(BaseModel):
    """Which intent a turn had; `oos` if none."""

    model_config = _STRICT

    turn: Annotated[int, Field(ge=1)]
    intent: Annotated[str, Field(max_length=40)]


def kept(settings: Settings) -> ConversationStore:
    """The conversations of a home."""
    return store(settings, rules().kept_days)


def assistant(settings: Settings, classifier: TurnClassifier) -> Assistant:
    """The assistant of a home's shop. Raises `InvalidShop`."""
    return Assistant(kept(settings), classifier, shop(settings))


def router(settings: Settings, classifier: TurnClassifier) -> APIRouter:
    """The routes."""
    parts = _Routes(settings, classifier)
    routes = APIRouter(prefix="/v1/conversations", tags=["conversations"])
    named: tuple[tuple[str, str, Callable[..., Any], str, str], ...] = (
        ("POST", "", parts.say, "say", "Answer a user's turn."),
        ("POST", "/voice", parts.say_aloud, "say_aloud", "Answer a user's spoken turn, a WAV file."),
        ("GET", "/summary", parts.summary, "summarize_conversations", "Completion, satisfaction and resolution time."),
        ("GET", "/waiting", parts.waiting, "waiting_conversations", "Conversations that wait for a person."),
        ("GET", "/{conversation}", parts.read, "read_conversation", "A conversation, masked, with its slots."),
        (
            "POST",
            "/{conversation}/resolve",
            parts.resolve,
            "resolve_conversation",
            "Close one that a person had.",
        ),
        ("POST", "/{conversation}/corrections", parts.correct, "correct_turn", "Say which intent a turn had."),
    )
    for method, path, answer, name, summary in named:
        routes.add_api_route(path, answer, methods=[method], operation_id=name, summary=summary)
    return routes


class _Routes:
    def __init__(self, settings: Settings, classifier: TurnClassifier) -> None:
        self._store, self._assistant = kept(settings), assistant(settings, classifier)

    def say(self, said: UserTurn) -> dict[str, Any]:
        return _answered(lambda: self._assistant.say(said.user, said.text, said.customer_value))

    def say_aloud(
        self,
        user: Annotated[User, Query()],
        wav: Annotated[bytes, Body(media_type="audio/wav")],
        customer_value: Annotated[CustomerValue | None, Query()] = None,
    ) -> dict[str, Any]:
        """The answer as for a written turn, with `heard`, and `speech`: a WAV file in Base64, null for German."""
        try:
            turn = _answered(lambda: converse(self._assistant, user, wav, customer_value))
        except InvalidSound as wrong:
            raise HTTPException(422, str(wrong)) from wrong
        return {**turn.told, "heard": turn.heard, "speech": turn.speech and b64encode(turn.speech).decode()}

    def summary(self) -> dict[str, Any]:
        return asdict(summarize(conversations(self._store)))

    def waiting(self) -> dict[str, Any]:
        every = conversations(self._store)
        return {"waiting": [talk.model_dump() for talk in every if talk.status == "handed_over"]}

    def read(self, conversation: str) -> Conversation:
        return _answered(lambda: self._assistant.conversation(conversation))

    def resolve(self, conversation: str) -> Conversation:
        return _answered(lambda: self._assistant.resolve(conversation))

    def correct(self, conversation: str, said: TurnCorrection) -> Conversation:
        try:
            return _answered(lambda: self._assistant.correct(conversation, said.turn, said.intent))
        except ValueError as wrong:
            raise HTTPException(422, str(wrong)) from wrong


def _answered(answer: Callable[[], Answer]) -> Answer:
    try:
        return answer()
    except UnknownConversation as unknown:
        raise HTTPException(404, str(unknown)) from unknown
    except (NoClassifier, NoVoice) as missing:
        raise HTTPException(503, str(missing)) from missing
    except Busy as busy:
        raise HTTPException(409, str(busy)) from busy
