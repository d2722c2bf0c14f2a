"""How conversations go, and what people corrected in them."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median

import pandas as pd

from serving.conversations.state import Conversation
from serving.conversations.store import ConversationStore
from serving.conversations.understanding import INTENT


@dataclass(frozen=True)
class ConversationSummary:
    """Of the conversations that are kept.

    Attributes:
        completion: share of those that ended which ended without a person; None before one ended.
        satisfaction: mean from 1 to 5 of the `rated` users who told it.
        resolution_s: median seconds from the first turn to the end, also by a person.
        handovers: those taken over by a person, by reason.
        emotions: turns by emotion.
    """

    conversations: int
    completed: int
    completion: float | None
    rated: int
    satisfaction: float | None
    resolution_s: float | None
    handovers: dict[str, int]
    emotions: dict[str, int]


def conversations(store: ConversationStore) -> Iterator[Conversation]:
    """All that are kept."""
    return map(Conversation.model_validate_json, store.every())


def summarize(every: Iterable[Conversation]) -> ConversationSummary:
    """The summary."""
    talks = list(every)
    over = [talk for talk in talks if talk.why is not None]
    completed = sum(talk.status == "completed" and talk.why is None for talk in talks)
    rated = [talk.satisfaction for talk in talks if talk.satisfaction is not None]
    lasted = [talk.ended - talk.started for talk in talks if talk.ended is not None]
    ended = completed + len(over)
    return ConversationSummary(
        len(talks),
        completed,
        completed / ended if ended else None,
        len(rated),
        mean(rated) if rated else None,
        median(lasted) if lasted else None,
        dict(Counter((talk.why or "").partition(":")[0] for talk in over)),
        dict(Counter(turn.emotion for talk in talks for turn in talk.turns if turn.emotion)),
    )


def corrections(every: Iterable[Conversation]) -> pd.DataFrame:
    """The turns that people corrected, masked, as rows of the table `texts`.

    They name no split: the family `nlp` draws it by the text alone, so that a held-out turn stays held out in every
    export.
    """
    rows = [
        (turn.text, turn.corrected, INTENT, talk.language) for talk in every for turn in talk.turns if turn.corrected
    ]
    return pd.DataFrame(rows, columns=["text", "label", "task", "language"])


def export(every: Iterable[Conversation], folder: Path) -> int:
    """Write the corrections as `texts.parquet` into a folder. Returns their number."""
    found = corrections(every)
    folder.mkdir(parents=True, exist_ok=True)
    aside = folder / ".texts.parquet"
    found.to_parquet(aside, index=False)
    aside.replace(folder / "texts.parquet")
    return len(found)
