"""The decision endpoint as a process, with clients for it."""

import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import yaml

from features import store
from features.examples import Window, latest
from features.settings import Settings
from features.tables import Tables
from models.churn.examples import churn_examples
from serving.access import keys
from serving.decisions.params import DecisionParams
from serving.decisions.state.configured import state_store
from serving.decisions.state.store import CampaignSettings
from tests.integration import probe_endpoint as probe
from tests.integration.servers import Server, free_ports
from tests.toyland import local

ROOT = Path(__file__).parents[2]
PARAMS = DecisionParams.model_validate_json(json.dumps(yaml.safe_load((ROOT / "params.yaml").read_text())["decisions"]))


class Endpoint:
    """A server, its home, and a client for each scope."""

    def __init__(
        self, settings: Settings, program: str = "probe_endpoint", models: Mapping[str, Any] = probe.KINDS
    ) -> None:
        (port,) = free_ports(1)
        self.settings, self.url = settings, f"http://127.0.0.1:{port}"
        for name, kind in models.items():
            probe.write(settings.home / "models" / name, name, kind(), settings)
        given = {scope: keys.make(settings, scope, [scope], 1e6) for scope in keys.SCOPES}
        self.keys = given
        self.state = state_store(settings, PARAMS)
        self.state.configure("acme", "spring", CampaignSettings(daily_limit=1e6))
        named = [f"ADLOOP_HOME={settings.home}", f"PYTHONPATH={ROOT}", "OMP_NUM_THREADS=1"]
        named += [f"ADLOOP_REDIS_URL={settings.redis_url}"] if settings.redis_url else []
        command = ["env", *named, sys.executable, "-m", f"tests.integration.{program}"]
        command += ["--models", str(settings.home / "models"), "--params", str(ROOT / "params.yaml")]
        self.server = Server([*command, "--port", str(port)], port, settings.home, self._ready)
        self.server.start()

    def post(self, path: str, body: Any, key: str | None = None, **headers: str) -> httpx.Response:
        """By default with a key of the scope that the path needs."""
        scope = {"decisions": "decide", "feedback": "feedback", "outcomes": "feedback"}.get(path, "admin")
        given = {"authorization": f"Bearer {key or self.keys[scope]}", **headers}
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return local.post(f"{self.url}/v1/{path}", content=content, headers=given, timeout=30)

    def decide(self, **changed: Any) -> dict[str, Any]:
        answer = self.post("decisions", asked(**changed))
        assert answer.status_code == 200, answer.text
        return answer.json()

    def metrics(self) -> str:
        given = {"authorization": f"Bearer {self.keys['metrics']}"}
        return local.get(f"{self.url}/metrics", headers=given).raise_for_status().text

    def _ready(self) -> None:
        local.get(f"{self.url}/health/ready").raise_for_status()


numbers = iter(range(10**9))


def asked(**changed: Any) -> dict[str, Any]:
    """An opportunity of its own."""
    own = {"opportunity_id": f"o{next(numbers)}", "occurred_at": time.time()}
    return {**own, "account_id": "acme", "campaign_id": "spring", "features": {"device": "mobile"}, **changed}


def publish(tables: Path, settings: Settings) -> None:
    """Put the features of a small business online."""
    params = SimpleNamespace(seed=1, window=Window(horizon_days=28, step_days=56, min_history_days=84))
    source = Tables(tables)
    snapshot = store.build(source, probe.SERVICE, churn_examples(source, params), latest(source), settings)
    store.publish(snapshot, settings)
