"""Prometheus metrics of the assistant. Labels never contain values from users."""

from prometheus_client import CollectorRegistry, Counter, Histogram

from serving.conversations.dialogue import Reply
from serving.conversations.state import Conversation, Status

REGISTRY = CollectorRegistry()
_SECONDS = (10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 86_400.0)

TURNS = Counter("adloop_conversation_turns", "Turns by what the assistant did.", ("act",), registry=REGISTRY)
ENDED = Counter(
    "adloop_conversations_ended", "Conversations that were completed or handed over.", ("status",), registry=REGISTRY
)
SATISFACTION = Histogram(
    "adloop_conversation_satisfaction",
    "Satisfaction from 1 to 5, of users who told it.",
    buckets=(1, 2, 3, 4, 5),
    registry=REGISTRY,
)
RESOLUTION = Histogram(
    "adloop_conversation_resolution_seconds",
    "Seconds from the first turn to the completion.",
    buckets=_SECONDS,
    registry=REGISTRY,
)


def observe(talk: Conversation, reply: Reply, before: Status) -> None:
    """Count a turn. `before`: the conversation's status before it."""
    TURNS.labels(reply.act).inc()
    if talk.status != before and talk.status != "open":
        ENDED.labels(talk.status).inc()
        if talk.status == "completed":
            RESOLUTION.observe(talk.updated - talk.started)
    if reply.act == "rated" and talk.satisfaction is not None:
        SATISFACTION.observe(talk.satisfaction)
