"""The assistant: takes a user's turn, answers it, and keeps the conversation."""

import time
import uuid
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from features.masking import masked
from serving.conversations.dialogue import OUT_OF_SCOPE, VALUED, Dialogue, Reply
from serving.conversations.leads import Lead, lead, signal
from serving.conversations.metrics import observe
from serving.conversations.rules import rules
from serving.conversations.shop import Shop
from serving.conversations.state import Conversation, Turn
from serving.conversations.store import ConversationStore
from serving.conversations.understanding import TurnClassifier, Understanding, language

#: Times that a turn is answered again because another one of the same user came between.
TRIES = 20


class Busy(RuntimeError):
    """A user's turns come faster than they are answered."""


class UnknownConversation(LookupError):
    """No conversation has this id, or it was forgotten."""


class Assistant:
    """Answers turns of users. Safe among threads and processes that share the store.

    Args:
        now: seconds since 1970.
    """

    def __init__(
        self,
        store: ConversationStore,
        classifier: TurnClassifier,
        shop: Shop,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._store, self._classifier, self._now = store, classifier, now
        self._rules, self._shop = rules(), shop
        self._dialogue = Dialogue(self._rules, shop)

    def say(self, user: str, text: str, customer_value: float | None = None) -> dict[str, Any]:
        """Answer a user's turn. `customer_value`: what the family `ltv` expects of a known customer.

        Returns the reply with its act, action and slots, the lead, and on a handover its reason, with the transcript.
        Raises `NoClassifier` where none is released or none that learnt intents, `Busy`.
        """
        heard = Understanding(text, self._classifier)
        for _ in range(TRIES):
            saved, version = self._store.load(user)
            talk = self._current(saved, user)
            if customer_value is not None and customer_value >= self._rules.valued:
                talk.signals[VALUED] = f"customer whose expected value is {customer_value:.2f}"
            before = talk.status
            reply = self._answer(talk, heard)
            talk.version = version + 1
            if self._store.save(user, talk.model_dump_json(), version):
                self._store.keep(talk.id, talk.model_dump_json(), talk.version)
                observe(talk, reply, before)
                return told(talk, reply, lead(talk, self._rules))
        raise Busy(f"the user '{masked(user)[:40]}' writes faster than is answered: retry")

    def _answer(self, talk: Conversation, heard: Understanding) -> Reply:
        now = self._now()
        today = datetime.fromtimestamp(now, UTC).date()
        short = heard.text[: self._rules.longest]
        talk.language = language(self._shop.without_names(short), talk.language)
        reply = self._dialogue.reply(talk, heard, today)
        signal(talk, self._rules, today)
        talk.count, talk.updated = talk.count + 1, now
        if talk.status == "completed" and talk.ended is None:
            talk.ended = now
        talk.turns = [*talk.turns, _turn(talk, heard, reply, masked(short), now)][-self._rules.remembered_turns :]
        return reply

    def _current(self, saved: str | None, user: str) -> Conversation:
        """The open conversation, or a new one after one that ended."""
        talk = Conversation.model_validate_json(saved) if saved else None
        if talk is None or talk.status == "resolved" or (talk.status == "completed" and not talk.rating):
            talk = Conversation(id=uuid.uuid4().hex, user=user, started=self._now(), updated=self._now())
        return talk

    def resolve(self, conversation: str) -> Conversation:
        """Close a conversation that a person took over. Raises `UnknownConversation`."""

        def ended(talk: Conversation) -> None:
            talk.status, talk.ended = "resolved", self._now()

        return self._changed(conversation, ended)

    def correct(self, conversation: str, turn: int, intent: str) -> Conversation:
        """Say which intent a turn had. Raises `UnknownConversation`, and `ValueError` for an unknown turn or intent."""
        known = (*self._rules.intents, OUT_OF_SCOPE)
        if intent not in known:
            raise ValueError(f"intent: expected one of {', '.join(known)}, got '{intent[:40]}'")

        def corrected(talk: Conversation) -> None:
            found = next((one for one in talk.turns if one.number == turn), None)
            if found is None:
                numbers = f"{talk.turns[0].number} to {talk.turns[-1].number}"
                raise ValueError(f"turn: expected one of {numbers}, got {turn}")
            found.corrected = intent

        return self._changed(conversation, corrected)

    def _changed(self, conversation: str, change: Callable[[Conversation], None]) -> Conversation:
        """Change a conversation, also where its user goes on with it."""
        for _ in range(TRIES):
            talk = self.conversation(conversation)
            saved, version = self._store.load(talk.user)
            current = Conversation.model_validate_json(saved) if saved else None
            if current is not None and current.id == conversation:
                talk = current
            change(talk)
            talk.version = version + 1 if talk is current else talk.version + 1
            text = talk.model_dump_json()
            if talk is not current or self._store.save(talk.user, text, version):
                self._store.keep(conversation, text, talk.version)
                return talk
        raise Busy("the conversation is changed too often: retry")

    def conversation(self, conversation: str) -> Conversation:
        """A conversation by its id. Raises `UnknownConversation`."""
        found = self._store.kept(conversation)
        if found is None:
            raise UnknownConversation(f"no conversation has the id '{conversation[:40]}'")
        return Conversation.model_validate_json(found)


def told(talk: Conversation, reply: Reply, found: Lead) -> dict[str, Any]:
    """An answer as JSON tells it."""
    handover = None
    if talk.status == "handed_over":
        transcript = [{"user": turn.text, "assistant": turn.reply} for turn in talk.turns]
        handover = {"why": talk.why, "transcript": transcript, "slots": talk.slots}
    return {
        "conversation": talk.id,
        "turn": talk.count,
        "language": talk.language,
        "handover": handover,
        "lead": asdict(found),
        **{name: value for name, value in asdict(reply).items() if name != "by"},
        "emotion": talk.turns[-1].emotion,
        "sentiment": talk.turns[-1].sentiment,
    }


def _turn(talk: Conversation, heard: Understanding, reply: Reply, text: str, now: float) -> Turn:
    """What is kept of a turn: of the classifier's answers, those that were asked for."""
    asked = {name: vars(heard).get(name) for name in ("intent", "emotion", "sentiment")}
    intent, emotion, sentiment = asked["intent"], asked["emotion"], asked["sentiment"]
    return Turn(
        number=talk.count,
        at=now,
        text=text,
        reply=masked(reply.text),
        act=reply.act,
        intent=intent.label if intent else None,
        confidence=intent.confidence if intent else None,
        in_scope=intent.in_scope if intent else None,
        emotion=emotion.label if emotion else None,
        sentiment=sentiment.score if sentiment else None,
    )
