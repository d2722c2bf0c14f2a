"""What is remembered of a conversation."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from serving.conversations.rules import Language, SlotName

Status = Literal["open", "handed_over", "completed", "resolved"]


class Turn(BaseModel):
    """One turn, masked. Times are seconds since 1970; what is None was not told by a classifier.

    Attributes:
        number: its place in the conversation, from 1.
        act: what the assistant did.
        corrected: the intent, as a person said.
    """

    model_config = ConfigDict(extra="forbid")

    number: int
    at: float
    text: str
    reply: str
    act: str
    intent: str | None = None
    confidence: float | None = None
    in_scope: float | None = None
    emotion: str | None = None
    sentiment: float | None = None
    corrected: str | None = None


class Conversation(BaseModel):
    """The state of a user's conversation.

    Attributes:
        version: of its text; a later one has a greater one.
        asked: the slot that was asked for.
        confirming: a yes or no is awaited.
        offered: a person was offered.
        rating: the satisfaction is awaited.
        unsure: turns in a row that were not understood.
        signals: what speaks for or against the lead, by name with its reason.
        satisfaction: from 1 to 5, as the user said; None where the user did not.
    """

    model_config = ConfigDict(extra="forbid")

    id: str
    user: str
    started: float
    updated: float
    version: int = 0
    language: Language = "en"
    status: Status = "open"
    intent: str | None = None
    slots: dict[SlotName, str] = Field(default_factory=dict)
    asked: SlotName | None = None
    confirming: bool = False
    offered: bool = False
    rating: bool = False
    unsure: int = 0
    actions: int = 0
    signals: dict[str, str] = Field(default_factory=dict)
    why: str | None = None
    satisfaction: int | None = None
    ended: float | None = None
    count: int = 0
    turns: list[Turn] = Field(default_factory=list)

    def drop_task(self) -> None:
        """Forget the open intent and what belongs to it alone."""
        self.intent, self.asked, self.confirming = None, None, False
        for name in ("date", "quantity"):
            self.slots.pop(name, None)
