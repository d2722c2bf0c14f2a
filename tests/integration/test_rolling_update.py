"""Replicas of the decision endpoint are replaced under load, and no client notices."""

from pathlib import Path

import pytest

from tests.integration.rolling_update import Load, replicas
from tests.integration.servers import Server


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_rolling_update_fails_no_request(redis_server: Server, tmp_path: Path) -> None:
    with replicas(tmp_path, f"redis://127.0.0.1:{redis_server.port}/0", count=2) as made:
        before, load = list(made.running), Load(made.proxy.port, made.key)
        with load.running():
            made.update(pause_s=2, noticed_s=1)
        assert not set(map(id, before)) & set(map(id, made.running)) and len(made.running) == 2
        assert load.failed == 0, load.answers
        assert load.answers["200"] > 100
