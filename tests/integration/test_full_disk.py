"""A full disk: bids are withheld and never doubled, readiness says why, and with room again all goes on by itself."""

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from features.settings import Settings
from serving.decisions.state.store import CampaignSettings
from serving.records.verify import verify
from tests.integration import probe_endpoint as probe
from tests.integration.decision_endpoint import Endpoint, asked
from tests.toyland import local


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A disk of a few megabytes."""
    place = tmp_path / "disk"
    place.mkdir()
    mount, umount = shutil.which("mount"), shutil.which("umount")
    options = ["-t", "tmpfs", "-o", "size=6m", "tmpfs", str(place)]
    if not mount or not umount or subprocess.run([mount, *options], capture_output=True).returncode:
        pytest.skip("no small disk can be mounted here: that takes mount and its rights")
    yield place
    subprocess.run([umount, "-l", str(place)], check=True)


@pytest.fixture(autouse=True)
def _families() -> Iterator[None]:
    probe.install()
    yield
    probe.remove()


def ready(endpoint: Endpoint) -> tuple[int, dict[str, Any]]:
    answer = local.get(f"{endpoint.url}/health/ready", timeout=30)
    return answer.status_code, answer.json()


def wait(what: Callable[[], bool], seconds: float = 40) -> None:
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until
        time.sleep(0.2)


def filled(place: Path) -> Path:
    """A file that takes all the room there is."""
    path = place / "filling"
    with suppress(OSError), path.open("wb", buffering=0) as file:
        for size in (1 << 16, 1 << 12, 1 << 8, 1):
            with suppress(OSError):
                while file.write(bytes(size)):
                    pass
    return path


def test_a_full_disk_withholds_bids_says_so_and_is_well_again_by_itself(small: Path) -> None:
    endpoint = Endpoint(Settings(home=small / "home"))
    try:
        limit = 1e4
        endpoint.state.configure("acme", "tight", CampaignSettings(daily_limit=limit))
        first = endpoint.decide(campaign_id="tight")
        assert first["action"] == "bid"
        assert ready(endpoint)[0] == 200
        filling = filled(small)
        # The look at which the disk filled may have found it full only for parts that come after it.
        wait(lambda: "disk" in ready(endpoint)[1]["reasons"])
        status, answer = ready(endpoint)
        told = answer["reasons"]
        assert status == 503
        assert "No space left on device" in told["disk"] and "make room" in told["disk"]
        answers = [endpoint.post("decisions", asked(campaign_id="tight")) for _ in range(30)]
        late = [one for one in answers[-10:] if one.status_code == 200]
        # From the allowance that was set aside before, conservatively, while the log takes it; then nothing.
        assert all(one.json()["action"] == "hold" or one.json()["arm"] == "fallback" for one in late)
        figures = endpoint.metrics()
        assert 'adloop_unready{part="disk"} 1.0' in figures
        assert 'adloop_faults_total{what="disk"} 0.0' not in figures
        said = (endpoint.settings.home / "log.txt").read_text()
        assert said == "" or "fault: disk" in said  # the alarm itself may find no room
        filling.unlink()
        wait(lambda: ready(endpoint)[0] == 200)
        made = endpoint.decide(campaign_id="tight")
        assert (made["action"], made["arm"]) in {("bid", "policy"), ("bid", "baseline")}
        again = endpoint.post("decisions", asked(campaign_id="tight", opportunity_id=first["opportunity_id"])).json()
        assert again["amount"] == pytest.approx(first["amount"], abs=2e-6)
    finally:
        endpoint.server.stop()
    assert verify(endpoint.settings.home / "decisions" / "log") == []
