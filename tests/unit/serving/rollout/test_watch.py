"""What is watched is tried again after pauses, told and counted; what is damaged is left out, and nothing waits."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from features.settings import Settings
from models.bundle import BundleTampered
from serving.released.split import Split
from serving.rollout import watch
from serving.rollout.envoy import EnvoyFailed
from serving.rollout.plan import CannotFetch, CannotServe
from serving.rollout.watch import GIVE_UP, Watch


class Fleet:
    """A fleet whose families come up as they are told to; no process is started."""

    def __init__(self) -> None:
        self.splits: dict[str, Split] = {}
        self.gone: dict[str, str] = {}
        self.fails: dict[str, Exception] = {}
        self.opened = 0
        process = SimpleNamespace(alive=True, last_words=lambda: "killed")
        self.envoy = SimpleNamespace(process=process)

    def raised(self, family: str, versions: Any) -> bool:
        for version in versions:
            if f"{family} {version}" in self.fails:
                raise self.fails[f"{family} {version}"]
        return True

    def put_in_force(self, family: str, split: Split) -> None:
        self.splits[family] = split

    def dead(self) -> dict[str, str]:
        return dict(self.gone)

    def revive(self, family: str) -> bool:
        if self.raised(family, [self.splits[family].champion]):
            self.gone.pop(family)
        return True

    def reopen(self) -> None:
        self.opened += 1
        raise EnvoyFailed("Address already in use")


class Registry:
    """Knows version 1 of every family as champion; away where it is told to."""

    away: Exception | None = None

    def champion(self, family: str) -> Any:
        if self.away is not None:
            raise self.away
        return SimpleNamespace(version="1")


@pytest.fixture
def fleet() -> Fleet:
    return Fleet()


def made(fleet: Fleet, tmp_path: Path, registry: Registry | None = None) -> Watch:
    return Watch(fleet, [], ["churn", "ltv"], registry or Registry(), Settings(home=tmp_path))  # type: ignore[arg-type]


def looked(one: Watch) -> Watch:
    """After a look at which all that failed is due."""
    for backoff in one._backoffs.values():
        backoff._next = 0.0
    one.look()
    return one


def test_what_cannot_come_up_keeps_nothing_else_from_answering(fleet: Fleet, tmp_path: Path) -> None:
    fleet.fails["ltv 1"] = CannotFetch("version 1 cannot be fetched: timed out")
    one = looked(made(fleet, tmp_path))
    assert set(fleet.splits) == {"churn"} and one.settled
    assert one.status()["faults"] == {"ltv": "version 1 cannot be fetched: timed out"}
    fleet.fails.clear()
    assert looked(one).status()["faults"] == {} and set(fleet.splits) == {"churn", "ltv"}
    assert one.status()["failures"] == {"ltv": 1}


def test_a_damaged_bundle_is_left_out_and_no_fault_of_the_rest(fleet: Fleet, tmp_path: Path) -> None:
    broken = CannotServe("1", "manifest.json was changed; remove it")
    broken.__cause__ = BundleTampered("manifest.json was changed")
    fleet.fails["churn 1"] = broken
    one = looked(made(fleet, tmp_path))
    assert one.status()["left_out"] == {"churn": "manifest.json was changed; remove it"}
    assert one.status()["faults"] == {} and set(fleet.splits) == {"ltv"}
    fleet.fails.clear()
    assert looked(one).status()["left_out"] == {} and set(fleet.splits) == {"churn", "ltv"}


def test_a_canary_that_does_not_come_up_keeps_no_champion_from_it(
    fleet: Fleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch.state, "standing", lambda *_: Split(champion="1", canary="2", weight=10))
    fleet.fails["ltv 2"] = CannotServe("2", "broken")
    one = looked(looked(made(fleet, tmp_path)))
    assert fleet.splits["ltv"] == Split(champion="1")
    assert fleet.splits["churn"] == Split(champion="1", canary="2", weight=10)
    assert one.status()["faults"] == {}


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"champion": 3}', b'{"course": {"version": "2"}}', b"\xff"])
def test_a_damaged_state_of_a_release_is_set_aside_by_name_and_all_families_answer(
    fleet: Fleet, tmp_path: Path, caplog: pytest.LogCaptureFixture, content: bytes
) -> None:
    file = tmp_path / "rollout" / "ltv.json"
    file.parent.mkdir()
    file.write_bytes(content)
    one = looked(looked(made(fleet, tmp_path)))
    assert fleet.splits == {"churn": Split(champion="1"), "ltv": Split(champion="1")}
    assert one.status()["faults"] == {}
    assert caplog.text.count(f"{file} is damaged and set aside") == 1
    assert file.with_suffix(".damaged").read_bytes() == content


def test_a_registry_that_is_away_is_asked_again(fleet: Fleet, tmp_path: Path) -> None:
    registry = Registry()
    registry.away = RuntimeError("the database is locked")
    one = looked(made(fleet, tmp_path, registry))
    assert set(one.status()["faults"]) == {"churn", "ltv"} and one.settled
    registry.away = None
    assert looked(one).status()["faults"] == {}


def test_a_server_that_dies_again_and_again_is_a_fault_until_it_lives(
    fleet: Fleet, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    one = looked(made(fleet, tmp_path))
    fleet.gone["ltv"] = "out of memory"
    fleet.fails["ltv 1"] = CannotServe("1", "out of memory")
    for _ in range(4):
        looked(one)
    assert one.status()["faults"] == {"ltv": "out of memory"}
    assert one.status()["failures"]["ltv"] >= 4
    assert "ltv does not respond: its process died: out of memory" in caplog.text
    fleet.fails.clear()
    assert looked(one).status()["faults"] == {}
    assert "ltv responds again" in caplog.text


def test_between_tries_there_is_a_pause(fleet: Fleet, tmp_path: Path) -> None:
    fleet.fails["ltv 1"] = CannotFetch("away")
    one = made(fleet, tmp_path)
    for _ in range(50):
        one.look()
    assert one.status()["failures"] == {"ltv": 1}


def test_an_envoy_that_does_not_stay_up_ends_it(fleet: Fleet, tmp_path: Path) -> None:
    one = looked(made(fleet, tmp_path))
    fleet.envoy.process.alive = False
    with pytest.raises(EnvoyFailed, match="Address already in use"):
        for _ in range(2 * GIVE_UP):
            looked(one)
    assert fleet.opened == GIVE_UP
    assert one.status()["failures"]["envoy"] == GIVE_UP + 1
