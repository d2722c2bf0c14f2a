"""`adloop serve` on an empty home answers decisions, and keeps what it writes to its owner."""

import time
from pathlib import Path

from features.settings import Settings
from serving.access import keys
from serving.rollout.processes import free_port
from tests.integration.serving_process import COMMAND, started, stops_while_it_mends_and_is_busy
from tests.toyland import local


def test_decisions_are_answered_before_a_model_is_released(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", port=free_port())
    given = {"authorization": f"Bearer {keys.make(settings, 'test', ['decide'], 1000)}"}
    asked = {
        "opportunity_id": "o",
        "occurred_at": time.time(),
        "account_id": "a",
        "campaign_id": "c",
        "current_bid": 1.0,
    }
    with started(settings, COMMAND) as serving:
        assert serving.line().strip() == f"serving decisions, texts at {serving.url}"
        answer = local.post(f"{serving.url}/v1/decisions", json=asked, headers=given)
        assert (answer.status_code, answer.json()["action"]) == (200, "hold")
        assert serving.decides() == 401
        for path in ("campaigns", "accounts", "kill", "override"):  # who may stop or pay comes from within
            assert local.post(f"{serving.url}/v1/{path}", json={}, headers=given).status_code == 404
        stops_while_it_mends_and_is_busy(serving, "bootstrap.json")
    kept = [settings.home, *settings.home.rglob("*")]
    assert {"state.db", "decisions", "log", "own.key", "api.json"} <= {one.name for one in kept}
    assert not [str(one) for one in kept if one.stat().st_mode & 0o077], "others may read what is kept"
