"""Quality scores are protected: a higher bid does not pay for a poor ad, and what does well is not taken away."""

from serving.campaigns.safety.guard import Guarded, raised
from serving.integrations.change import Change

#: From this score on, of 10, automation neither pauses nor removes a keyword.
GOOD = 8.0


def quality(change: Change, known: Guarded) -> str | None:
    """Why a change of a keyword with a known quality score waits."""
    shown = known.shown(change)
    score = shown.get("quality_score")
    if not isinstance(score, int | float) or change.undoes:
        return None
    least = known.policy.bounds.quality
    if score < least and "bid" in raised(change, shown):
        return f"quality score {score:g} is below {least:g}: improve the ad or its page before the bid"
    if score >= GOOD and change.fields.get("status") in ("paused", "removed") and change.decision_id:
        return f"quality score {score:g}: a person pauses it, not a decision"
    return None
