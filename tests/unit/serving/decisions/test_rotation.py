"""From what came of logged decisions to a creative that rests, and is not shown any more."""

from pathlib import Path

import numpy as np

from features.records import FEEDBACK, LOG
from serving.decisions.decide import decide
from serving.decisions.feedback import Feedback, Observed
from serving.decisions.kinds.creative import Placement
from serving.decisions.log.writer import DecisionLog
from serving.decisions.records import Action, Predictions, State
from serving.decisions.rotation import rest, rotations
from serving.decisions.state.book import DAY
from serving.decisions.state.sqlite import SqliteStore
from tests.unit.serving.decisions.logged import PARAMS

DAYS, SHOWN, NOW = 24, 180, 1.7e9


def shown(place: Path) -> SqliteStore:
    """Weeks of three creatives, one of which wears out from the middle on."""
    rng, store = np.random.default_rng(5), SqliteStore(place / "state.db", PARAMS)
    feedback = Feedback(place / FEEDBACK, store, PARAMS)
    log = DecisionLog(place / LOG, PARAMS, feedback.expect)
    events = []
    for day in range(DAYS):
        for one in range(SHOWN):
            at = NOW - (DAYS - day) * DAY + one
            asked = Placement(f"{day}-{one}", at, "a", "c", customer_id=f"u{one}", candidates={n: {} for n in "xyz"})
            made = decide(asked, Predictions(), State(), PARAMS, 3)
            log.append(asked, Predictions(), State(), None, made)
            worn = 0.9 ** max(0, day - DAYS // 2) if made.target == "x" else 1.0
            about = {"account_id": "a", "decision_id": made.decision_id, "occurred_at": at}
            events.append(Observed(event_id=f"i{day}-{one}", kind="impression", **about))
            if rng.random() < 0.5 * worn:
                events.append(Observed(event_id=f"c{day}-{one}", kind="click", **about))
    log.close()
    feedback.take(events)
    feedback.close()
    return store


def test_a_worn_creative_rests_and_is_not_shown_any_more(tmp_path: Path) -> None:
    store = shown(tmp_path)
    found = {one.creative_id: one for one in rotations(tmp_path, PARAMS.creatives, NOW)}
    assert set(found) == {"x", "y", "z"} and sum(one.impressions for one in found.values()) == DAYS * SHOWN
    assert [name for name, one in found.items() if one.reason] == ["x"]
    assert found["x"].reason.startswith("its click rate fell by")
    rest(store, [found["x"]])
    asked = Placement("next", NOW, "a", "c", candidates={name: {} for name in "xyz"})
    state = store.load([asked], "")[0]
    assert state.resting == {"x": found["x"].reason}
    decision = decide(asked, Predictions(), state, PARAMS, 3)
    assert decision.action is Action.SHOW_CREATIVE and decision.propensities["x"] == 0
