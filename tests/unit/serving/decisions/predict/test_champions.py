"""Which bundles are taken: what cannot be had now is tried again, what is damaged is left out, and both are told."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from features.settings import Settings
from models.bundle import verify
from serving.decisions.predict import champions
from serving.decisions.predict.champions import Champions
from serving.released.split import Split
from tests.integration import probe_endpoint as probe


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    probe.install()
    settings = Settings(home=tmp_path / "home")
    for name, kind in probe.KINDS.items():
        probe.write(tmp_path / name, name, kind(), settings)
    yield settings
    probe.remove()


class Store:
    """An artifact store that fails as it is told to; its champions are version 1 of both families."""

    def __init__(self, place: Path) -> None:
        self.place, self.version, self.faults, self.asked = place, "1", dict[str, Exception](), 0
        self.away: Exception | None = None

    def current(self) -> dict[str, Any]:
        if self.away is not None:
            raise self.away
        return {family: (Split(champion=self.version), self._fetch(family)) for family in probe.KINDS}

    def _fetch(self, family: str) -> Any:
        def fetch(version: str) -> Path:
            self.asked += 1
            if family in self.faults:
                raise self.faults[family]
            verify(self.place / family, None)
            return self.place / family

        return fetch


def looked(models: Champions, times: int = 1) -> Champions:
    """After so many looks, each when all that failed is due."""
    for _ in range(times):
        for one in models._troubles.values():
            one.again._next = 0.0
        models.look()
    return models


@pytest.mark.parametrize(
    "fault",
    [
        ConnectionError("Name or service not known"),
        TimeoutError("timed out"),
        OSError(28, "No space left on device"),
        RuntimeError("the registry answers 503"),
        KeyError("artifacts"),
    ],
)
def test_what_cannot_be_fetched_is_tried_until_it_can(tmp_path: Path, settings: Settings, fault: Exception) -> None:
    store = Store(tmp_path)
    store.faults = dict.fromkeys(probe.KINDS, fault)
    models = looked(Champions(store.current, settings), 3)
    assert models.versions == {} and models.left_out() == {}
    told = models.fault()
    assert told is not None and str(fault) in told and "retrying" in told
    store.faults = {"clicks": fault}
    assert looked(models).versions == {"bidder": "1"}
    assert models.fault() is not None
    store.faults = {}
    assert looked(models).versions == {"bidder": "1", "clicks": "1"}
    assert models.fault() is None


def test_between_two_tries_there_is_a_pause(tmp_path: Path, settings: Settings) -> None:
    store = Store(tmp_path)
    store.faults = dict.fromkeys(probe.KINDS, TimeoutError())
    models = Champions(store.current, settings)
    for _ in range(20):
        models.look()
    assert store.asked == 2


def test_while_a_new_champion_cannot_be_had_the_old_one_answers(tmp_path: Path, settings: Settings) -> None:
    store = Store(tmp_path)
    models = looked(Champions(store.current, settings))
    store.version, store.faults = "2", {"bidder": TimeoutError("timed out")}
    assert looked(models, 2).versions == {"bidder": "1", "clicks": "2"}
    assert models.fault() is None
    store.faults = {}
    assert looked(models).versions == {"bidder": "2", "clicks": "2"}


def test_a_damaged_bundle_is_left_out_by_name_and_the_rest_answers(tmp_path: Path, settings: Settings) -> None:
    whole = shutil.copytree(tmp_path / "clicks", tmp_path / "whole")
    model = tmp_path / "clicks" / "model" / "model.json"
    model.write_bytes(model.read_bytes()[:-1] + b" ")
    store = Store(tmp_path)
    models = looked(Champions(store.current, settings), 3)
    assert models.versions == {"bidder": "1"}
    assert models.fault() is None
    (told,) = models.left_out().items()
    assert told[0] == "clicks 1" and "model/model.json" in told[1] and "adloop rollback clicks" in told[1]
    shutil.rmtree(tmp_path / "clicks")
    whole.rename(tmp_path / "clicks")
    assert looked(models).versions == {"bidder": "1", "clicks": "1"}
    assert models.left_out() == {}


def test_a_bundle_in_the_place_of_another_family_is_left_out_by_name(tmp_path: Path, settings: Settings) -> None:
    shutil.rmtree(tmp_path / "bidder")
    shutil.copytree(tmp_path / "clicks", tmp_path / "bidder")
    models = looked(Champions(Store(tmp_path).current, settings))
    assert models.versions == {"clicks": "1"}
    (told,) = models.left_out().items()
    assert told[0] == "bidder 1" and "expected bidder, got clicks" in told[1]


def test_without_the_model_that_bids_it_is_not_ready_though_others_are_there(
    tmp_path: Path, settings: Settings
) -> None:
    probe.asked_by(probe.NEEDS, learnt_from="bidder")
    (tmp_path / "bidder" / "manifest.json").write_bytes(b"{}")
    models = looked(Champions(Store(tmp_path).current, settings))
    assert models.versions == {"clicks": "1"}
    told = models.fault()
    assert told is not None and told.startswith("bidder: BundleTampered")


def test_a_registry_that_is_away_at_the_start_is_followed_when_it_is_there(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(champions, "LOOK_S", 0.01)
    store = Store(tmp_path)
    store.away = ConnectionError("no registry")
    models = Champions(store.current, settings)
    models.start()
    try:
        told = models.fault()
        assert told is not None and "no registry" in told
        store.away = None
        while models.fault() is not None:
            pass
        assert set(models.versions) == {"bidder", "clicks"}
        store.away = ConnectionError("no registry")
        assert models.fault() is None  # those in force answer
    finally:
        models.close()


def test_where_nothing_was_released_it_says_what_to_do(settings: Settings) -> None:
    models = Champions(lambda: {}, settings)
    models.look()
    assert models.fault() == "no model is released: adloop run"
