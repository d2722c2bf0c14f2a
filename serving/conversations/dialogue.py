"""Answers turns: the first step that has a reply gives it.

What a rule or a plain answer to a question decides comes before the classifier. For an intent below the thresholds
nothing is done: the assistant asks, refuses, or hands over to a person.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from serving.conversations import slots
from serving.conversations.dates import written
from serving.conversations.rules import Rules, SlotName, replies, says
from serving.conversations.shop import Shop
from serving.conversations.shop_answers import ShopAnswers
from serving.conversations.state import Conversation
from serving.conversations.understanding import Understanding

#: What a reply was decided by: a rule, a plain answer to a question, or an intent of the classifier.
By = Literal["rule", "slot", "intent"]
OUT_OF_SCOPE = "oos"
#: Replies that offer a person.
OFFERS = frozenset({"price_unknown", "product_unknown", "stock_unknown", "recommend_nothing", "fact_unknown"})
#: The signal of a customer whose objections a person answers.
VALUED = "valued_customer"


@dataclass(frozen=True)
class Reply:
    """A reply.

    Attributes:
        act: its name in `replies.yaml`.
        action: what the shop's systems are to do, with the slots; only after a yes where the intent needs one.
    """

    text: str
    act: str
    by: By
    action: str | None = None
    slots: dict[SlotName, str] = field(default_factory=dict)


class Dialogue:
    """Answers turns by the rules and what the shop tells."""

    def __init__(self, rules: Rules, shop: Shop) -> None:
        self._rules, self._shop, self._answers = rules, shop, ShopAnswers(shop)

    def reply(self, talk: Conversation, heard: Understanding, today: date) -> Reply:
        """The reply to a turn; changes the conversation."""
        reply = self._first(talk, heard, today)
        talk.offered = reply.act in OFFERS
        return reply

    def _first(self, talk: Conversation, heard: Understanding, today: date) -> Reply:
        named = slots.found(heard.text[: self._rules.longest], self._shop, today)
        steps: tuple[Callable[[Conversation, Understanding, dict[SlotName, str]], Reply | None], ...] = (
            self._waiting,
            self._unreadable,
            self._person,
            self._rated,
            self._confirmed,
            self._corrected,
            self._slot,
            self._upset,
            self._unsure,
        )
        for step in steps:
            found = step(talk, heard, named)
            if found is not None:
                return found
        return self._intent(talk, heard, named)

    def _waiting(self, talk: Conversation, heard: Understanding, named: dict[SlotName, str]) -> Reply | None:
        return self._said(talk, "waiting", "rule") if talk.status == "handed_over" else None

    def _unreadable(self, talk: Conversation, heard: Understanding, named: dict[SlotName, str]) -> Reply | None:
        if len(heard.text) > self._rules.longest:
            return self._said(talk, "too_long", "rule")
        if not any(sign.isalnum() for sign in heard.text):
            return self._said(talk, "empty", "rule")
        return None

    def _person(self, talk: Conversation, heard: Understanding, named: dict[SlotName, str]) -> Reply | None:
        asked = says(heard.text, self._rules.person)
        return self._hand_over(talk, "the customer asked for a person", "rule") if asked else None

    def _rated(self, talk: Conversation, heard: Understanding, named: dict[SlotName, str]) -> Reply | None:
        if not talk.rating:
            return None
        talk.rating = False
        score = named.get("quantity")
        if score is None or int(score) > 5:
            talk.status = "open"  # about something else: it stays unrated
            return None
        talk.satisfaction = int(score)
        return self._said(talk, "rated", "slot")

    def _confirmed(self, talk: Conversation, heard: Understanding, named: dict[SlotName, str]) -> Reply | None:
        if talk.offered and says(heard.text, self._rules.agreement, "all"):
            return self._hand_over(talk, "the customer took the offer of a person", "slot")
        if not talk.confirming or talk.intent is None:
            return None
        if says(heard.text, self._rules.agreement, "all"):
            return self._pass_on(talk, "slot")
        if says(heard.text, self._rules.refusal, "all"):
            talk.drop_task()
            return self._said(talk, "dropped", "slot")
        return None

    def _corrected(self, talk: Conversation, heard: Understanding, named: dict[SlotName, str]) -> Reply | None:
        """ "No, Tuesday": another value of what the open intent needs."""
        changed = self._needed(talk, named)
        if not changed or not self._short(heard.text) or not says(heard.text, self._rules.correction, "first"):
            return None
        return self._filled(talk, changed, "slot")

    def _slot(self, talk: Conversation, heard: Understanding, named: dict[SlotName, str]) -> Reply | None:
        """A plain answer to what was asked."""
        expected = (talk.asked is not None and talk.asked in named) or talk.confirming
        given = self._needed(talk, named)
        if not expected or not given or not self._short(heard.text):
            return None
        return self._filled(talk, given, "slot")

    def _upset(self, talk: Conversation, heard: Understanding, named: dict[SlotName, str]) -> Reply | None:
        sure, feeling, mood = self._rules.thresholds.sure, heard.emotion, heard.sentiment
        if feeling is not None and feeling.label in self._rules.upset and feeling.confidence >= sure:
            return self._hand_over(talk, f"the customer is upset: {feeling.label}", "rule")
        low = self._rules.thresholds.negative
        if mood is not None and mood.score is not None and mood.score <= low and mood.confidence >= sure:
            return self._hand_over(talk, f"the customer is upset: sentiment {mood.score:.2f}", "rule")
        return None

    def _unsure(self, talk: Conversation, heard: Understanding, named: dict[SlotName, str]) -> Reply | None:
        """Below the thresholds, or an intent that the rules do not know."""
        bounds, intent = self._rules.thresholds, heard.intent
        inside = intent.in_scope >= bounds.in_scope and intent.label != OUT_OF_SCOPE
        if inside and intent.confidence >= bounds.confidence and intent.label in self._rules.intents:
            talk.unsure = 0
            return None
        talk.unsure += 1
        if talk.unsure >= bounds.unsure_turns:
            return self._hand_over(talk, f"{talk.unsure} turns in a row were not understood", "rule")
        return self._said(talk, "unsure" if inside else "out_of_scope", "rule")

    def _intent(self, talk: Conversation, heard: Understanding, named: dict[SlotName, str]) -> Reply:
        name = heard.intent.label
        rule = self._rules.intents[name]
        if name != talk.intent:
            talk.drop_task()
        talk.intent = name
        if rule.ends:
            return self._end(talk)
        talk.slots.update(named)
        if rule.person and not rule.slots:
            return self._hand_over(talk, "the customer asked for a person", "intent")
        return self._filled(talk, {}, "intent", heard.text)

    def _end(self, talk: Conversation) -> Reply:
        """Ask for the satisfaction, once."""
        talk.drop_task()
        first = talk.status == "open" and talk.satisfaction is None
        talk.status, talk.rating = "completed", first
        return self._said(talk, "rate" if first else "goodbye", "intent")

    def _filled(self, talk: Conversation, given: dict[SlotName, str], by: By, text: str = "") -> Reply:
        """Go on with the open intent: ask for what is missing, have it confirmed, pass it on, or answer."""
        name = talk.intent or ""
        rule = self._rules.intents[name]
        talk.slots.update(given)
        talk.asked, talk.confirming, talk.unsure = None, False, 0
        missing = next((slot for slot in rule.slots if slot not in talk.slots), None)
        if missing is not None:
            talk.asked = missing
            return self._said(talk, f"ask_{missing}", by)
        if rule.person:
            return self._hand_over(talk, f"{name}: by rule", by)
        if name == "too_expensive" and VALUED in talk.signals:
            return self._hand_over(talk, f"objection of a {talk.signals[VALUED]}", by, "valued")
        if rule.confirm:
            talk.confirming = True
            return self._said(talk, f"confirm_{name}", by, **self._shown(talk))
        if rule.action:
            return self._pass_on(talk, by)
        if rule.fact is not None:
            fact = self._shop.fact(rule.fact, talk.language)
            return self._said(talk, "fact" if fact else "fact_unknown", by, fact=fact or "")
        act, values = self._answers.answer(name, talk.slots.get("product"), text)
        return self._said(talk, act, by, **values)

    def _pass_on(self, talk: Conversation, by: By) -> Reply:
        name = talk.intent
        given = {slot: talk.slots[slot] for slot in self._rules.intents[name or ""].slots}
        talk.actions += 1
        talk.drop_task()
        return Reply(self._text(talk, "passed_on"), "passed_on", by, name, given)

    def _hand_over(self, talk: Conversation, why: str, by: By, act: str = "handover") -> Reply:
        talk.status, talk.why = "handed_over", why
        return self._said(talk, act, by)

    def _needed(self, talk: Conversation, named: dict[SlotName, str]) -> dict[SlotName, str]:
        needs = self._rules.intents[talk.intent].slots if talk.intent else ()
        return {name: value for name, value in named.items() if name in needs}

    def _short(self, text: str) -> bool:
        return len(text.split()) <= self._rules.words_of_a_slot

    def _shown(self, talk: Conversation) -> dict[str, str]:
        day = talk.slots.get("date")
        dated = {"date": written(date.fromisoformat(day), talk.language)} if day else {}
        return {**talk.slots, **dated}

    def _said(self, talk: Conversation, act: str, by: By, **values: str) -> Reply:
        return Reply(self._text(talk, act, **values), act, by)

    def _text(self, talk: Conversation, act: str, **values: str) -> str:
        return replies()[act][talk.language].format(**values)
