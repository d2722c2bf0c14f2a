"""`adloop serve` answers decisions behind the same address as the models."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

from features.settings import Settings
from serving.access import keys
from serving.rollout.processes import free_port
from tests.toyland import local

ROOT = Path(__file__).parents[2]


def test_decisions_are_answered_where_the_models_are_and_again_after_a_crash(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", port=free_port())
    given = {"authorization": f"Bearer {keys.make(settings, 'test', ['decide'], 1000)}"}
    url = f"http://127.0.0.1:{settings.port}"
    asked = {
        "opportunity_id": "o",
        "occurred_at": time.time(),
        "account_id": "a",
        "campaign_id": "c",
        "current_bid": 1.0,
    }
    ours = {**os.environ, "ADLOOP_HOME": str(settings.home), "ADLOOP_PORT": str(settings.port)}
    command = [sys.executable, "-m", "pipelines.cli", "serve"]
    with subprocess.Popen(command, cwd=ROOT, env=ours, stdout=subprocess.PIPE, text=True, umask=0) as serving:
        try:
            assert serving.stdout is not None
            assert serving.stdout.readline().strip() == f"serving decisions, texts at {url}"
            first = local.post(f"{url}/v1/decisions", json=asked, headers=given)
            assert (first.status_code, first.json()["action"]) == (200, "hold")
            assert local.post(f"{url}/v1/decisions", json=asked).status_code == 401
            for path in ("campaigns", "accounts", "kill", "override"):  # who may stop or pay comes from within
                assert local.post(f"{url}/v1/{path}", json={}, headers=given).status_code == 404
            children = psutil.Process(serving.pid).children()
            next(child for child in children if "serving.decisions" in child.cmdline()).kill()
            until = time.monotonic() + 90
            while (again := local.post(f"{url}/v1/decisions", json=asked, headers=given)).status_code != 200:
                assert time.monotonic() < until, again.text
                time.sleep(0.2)
            assert again.json()["decision_id"] == first.json()["decision_id"]
        finally:
            serving.send_signal(signal.SIGTERM)
            serving.wait(60)
    kept = [settings.home, *settings.home.rglob("*")]
    assert {"state.db", "decisions", "log", "own.key", "api.json"} <= {one.name for one in kept}
    assert not [str(one) for one in kept if one.stat().st_mode & 0o077], "others may read what is kept"
