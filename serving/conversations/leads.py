"""Qualifies a lead: a score from 0 to 100, its grade, and the reasons with their points."""

from dataclasses import dataclass
from datetime import date

from serving.conversations.rules import Rules
from serving.conversations.state import Conversation


@dataclass(frozen=True)
class Lead:
    """`reasons`: what was said, with its points."""

    score: int
    grade: str
    reasons: tuple[tuple[str, int], ...]


def signal(conversation: Conversation, rules: Rules, today: date) -> None:
    """Note what the conversation tells of the lead so far."""
    told, slots = conversation.signals, conversation.slots
    if conversation.intent in rules.lead:
        told[conversation.intent] = f"said: {conversation.intent.replace('_', ' ')}"
    if "product" in slots:
        told["product"] = f"named {slots['product']}"
    if "email" in slots:
        told["email"] = "gave an e-mail address"
    if int(slots.get("quantity", "0")) >= rules.large:
        told["large_quantity"] = f"wants {slots['quantity']} pieces"
    if "date" in slots and 0 <= (date.fromisoformat(slots["date"]) - today).days <= rules.soon_days:
        told["soon"] = f"by {slots['date']}"


def lead(conversation: Conversation, rules: Rules) -> Lead:
    """The lead that a conversation is."""
    reasons = tuple((why, rules.lead[name]) for name, why in conversation.signals.items())
    score = min(100, max(0, sum(points for _, points in reasons)))
    grade = max((least, name) for name, least in rules.grades.items() if score >= least)[1]
    return Lead(score, grade, reasons)
