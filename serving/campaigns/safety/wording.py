"""Brand safety of every ad and keyword that leaves, whoever wrote it; the reason names the rule."""

from collections.abc import Iterator

from serving.campaigns.checks.brand_safety import unsafe
from serving.campaigns.safety.guard import Guarded
from serving.integrations.change import Change

#: Fields that people read, or that ads are shown beside.
WORDS = ("headlines", "bodies", "headline", "text", "description", "keyword", "placements")
#: Objects that keep a campaign away from words.
KEEPING_AWAY = ("negative_keyword",)


def wording(change: Change, known: Guarded) -> str | None:
    """What is unsafe in the words of a change."""
    if change.object in KEEPING_AWAY or change.undoes:
        return None
    found = (one for where, text in _texts(change) for one in unsafe(text, where))
    return next((str(one) for one in found), None)


def _texts(change: Change) -> Iterator[tuple[str, str]]:
    for name in WORDS:
        said = change.fields.get(name)
        yield from ((name, one) for one in (said if isinstance(said, list) else [said]) if isinstance(one, str))
