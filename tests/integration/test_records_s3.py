"""Finished parts in S3: all of them, once, and a copy of them is verified and replayed like the home itself."""

import time
from pathlib import Path

import pytest

from features import lake
from features.records import DECISIONS, LOG, decisions_folder
from features.settings import Settings
from serving.experiments.replay import replay
from serving.records import export, segment
from serving.records.export import Export, copy
from tests.integration.conftest import S3
from tests.unit.serving.decisions.logged import auctions, ids, logged
from tests.unit.serving.inference.test_requests import logged as asked
from tests.unit.serving.inference.test_requests import request as one


@pytest.fixture
def settings(s3: S3, tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", s3_endpoint_url=s3.endpoint, records_uri=f"s3://{s3.bucket}/records")


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


def test_s3_that_is_away_stops_nothing_and_gets_all_when_it_is_back(settings: Settings, monkeypatch, caplog) -> None:
    monkeypatch.setattr(export, "EVERY_S", 0.05)
    logged(decisions_folder(settings.home), 5)
    real, failed = export.copy, []

    def away(*about):
        if len(failed) < 3:
            failed.append(about)
            raise OSError("S3 is away")
        return real(*about)

    monkeypatch.setattr(export, "copy", away)
    running = Export(settings, settings.records_uri)
    until = time.monotonic() + 20
    while len(failed) < 3 and time.monotonic() < until:
        time.sleep(0.05)
    running.close()
    assert "it is tried again" in caplog.text
    assert copy(settings, settings.records_uri) == 0
