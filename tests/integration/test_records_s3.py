"""Finished parts in S3: all of them, once, and a copy of them is verified and replayed like the home itself."""

import time
from pathlib import Path

import pandas as pd
import pytest

from features import lake, sources
from features.records import DECISIONS, FEEDBACK, LOG, decisions_folder, recorded
from features.settings import Settings
from features.sources.decision_log import came_of
from serving.decisions.feedback import Feedback
from serving.decisions.log.writer import DecisionLog
from serving.decisions.outcomes import joined
from serving.decisions.state.sqlite import SqliteStore
from serving.experiments.explain import explain
from serving.experiments.replay import replay
from serving.inference import outcomes, requests
from serving.inference.outcomes import Labels, OutcomeRecorder
from serving.monitoring import decided as decided_by
from serving.records import export, segment
from serving.records.export import Copies, Export
from tests.integration.conftest import S3
from tests.unit.serving.decisions.logged import PARAMS, auctions, decided, ids, logged
from tests.unit.serving.decisions.told import observed
from tests.unit.serving.inference.test_requests import logged as asked
from tests.unit.serving.inference.test_requests import request as one


@pytest.fixture
def settings(s3: S3, tmp_path: Path) -> Settings:
    return Settings(
        home=tmp_path / "home", s3_endpoint_url=s3.endpoint, records_uri=f"s3://{s3.bucket}/{tmp_path.name}"
    )


def copy(settings: Settings, uri: str) -> int:
    """Copy as a process that has just started does; the number of new parts."""
    copies = Copies(settings, uri)
    return copies.update() + copies.add_events()


def test_a_copy_of_the_parts_is_verified_and_replayed(settings: Settings, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(segment, "PART_BYTES", 1)
    logged(decisions_folder(settings.home), 20)
    asked(settings.home, one("r1"))
    assert copy(settings, settings.records_uri) >= 3
    assert copy(settings, settings.records_uri) == 0
    logged(decisions_folder(settings.home), 10, start=20)
    assert copy(settings, settings.records_uri) >= 1
    there = lake.filesystem(settings.records_uri, settings)
    there.get(f"{settings.records_uri}/{DECISIONS}/{LOG}/", f"{tmp_path / 'copy'}/", recursive=True)
    assert ids(tmp_path / "copy") == auctions(30)
    assert replay(tmp_path / "copy").faults == () and replay(tmp_path / "copy").differing == 0
    assert any("requests/churn" in path for path in there.find(settings.records_uri))


def test_copies_are_read_in_place_as_the_home_is(settings: Settings, tmp_path: Path, monkeypatch) -> None:
    """By a machine that has none of it: outcomes too, which SQLite joins in the home, and each event once."""
    monkeypatch.setattr(export, "EVENTS_AT_ONCE", 5)
    place = settings.home / DECISIONS
    feedback = Feedback(place / FEEDBACK, SqliteStore(settings.home / "state.db", PARAMS), PARAMS)
    log = DecisionLog(place / LOG, PARAMS, feedback.expect)
    for at in range(40):
        log.append(*decided(at))
    log.close()
    asked(settings.home, one("r1"), one("r2"))
    labels = OutcomeRecorder(settings.home)
    labels.append([Labels("churn", "r1", 0, {"churned": True})])
    labels.close()
    for at in range(12):
        feedback.take([observed(at, "impression", cost=0.1 + at / 7), observed(at, cost=9.0)])
        if at % 4 == 3:
            assert copy(settings, settings.records_uri) >= 1
    assert copy(settings, settings.records_uri) == 0
    feedback.close()
    away = settings.model_copy(update={"home": tmp_path / "elsewhere"})
    here, there = settings.home, recorded(away)
    assert isinstance(there, lake.Remote) and recorded(settings) == here

    again = replay(there / DECISIONS / LOG)
    assert (again.count, again.differing, again.faults) == (40, 0, ())
    made = decided(3)[4].decision_id
    assert explain(there / DECISIONS / LOG, made) == explain(place / LOG, made)
    with pytest.raises(LookupError):
        explain(there / DECISIONS / LOG, "nobody")
    for read in (
        lambda home: joined(home / DECISIONS),
        lambda home: came_of(home / DECISIONS),
        lambda home: requests.read(home, "churn"),
        lambda home: outcomes.read(home, "churn"),
        lambda home: decided_by.read(home, "bidding"),
    ):
        assert not read(here).empty
        pd.testing.assert_frame_equal(read(there), read(here), check_exact=True)
    assert requests.newest(there, "churn") == requests.newest(here, "churn") and requests.newest(there, "no") is None
    for source in ("decision_log", f"{settings.records_uri}/{DECISIONS}"):
        sources.read([source], tmp_path / source[:2], away)
        sources.read(["decision_log"], tmp_path / "here", settings)
        found, expected = (pd.read_parquet(tmp_path / one / "auctions.parquet") for one in (source[:2], "here"))
        pd.testing.assert_frame_equal(found, expected, check_exact=True)
        assert sources.learns([source], away) and len(sources.fingerprint([source], away)) == 64


def test_s3_that_is_away_stops_nothing_and_gets_all_when_it_is_back(settings: Settings, monkeypatch, caplog) -> None:
    monkeypatch.setattr(export, "EVERY_S", 0.05)
    logged(decisions_folder(settings.home), 5)
    real, failed = Copies.update, []

    def away(copies):
        if len(failed) < 3:
            failed.append(copies)
            raise OSError("S3 is away")
        return real(copies)

    monkeypatch.setattr(Copies, "update", away)
    running = Export(settings, settings.records_uri)
    until = time.monotonic() + 20
    while len(failed) < 3 and time.monotonic() < until:
        time.sleep(0.05)
    running.close()
    assert caplog.text.count("retrying") == 1
    assert copy(settings, settings.records_uri) == 0
