"""Online features in a real Redis: equal to those offline, whole when replaced, clear when the server is away."""

import tempfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import redis

from features import offline as offline_store
from features import online, store
from features.examples import Window, latest
from features.online_metadata import online_metadata
from features.packed.rows import RedisRows
from features.settings import Settings
from features.tables import Tables
from models.churn.examples import churn_examples

PARAMS = SimpleNamespace(seed=1, window=Window(horizon_days=28, step_days=56, min_history_days=84))


@pytest.fixture
def settings(redis_server, tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", redis_url=f"redis://127.0.0.1:{redis_server.port}/0")


def snapshots(tables: Path, settings: Settings, *days: int) -> list[store.Snapshot]:
    """A snapshot as of so many days before the tables end, for each of `days`."""
    source = Tables(tables)
    examples = churn_examples(source, PARAMS)
    moments = [latest(source) - pd.Timedelta(days=day) for day in days]
    return [store.build(source, "churn_v1", examples, moment, settings) for moment in moments]


def offline(snapshot: store.Snapshot, ids: list[str], settings: Settings) -> pd.DataFrame:
    asked = pd.DataFrame({"customer_id": ids, "event_timestamp": pd.Timestamp(snapshot.as_of)})
    return store.training_frame(snapshot, asked, settings).drop(columns="event_timestamp")


def test_online_equals_offline(tables: Path, settings: Settings) -> None:
    (snapshot,) = snapshots(tables, settings, 0)
    store.publish(snapshot, settings)
    ids = pd.read_parquet(tables / "customers.parquet")["customer_id"].tolist()[::-1]
    found = store.Online(settings).read("churn_v1", ids)
    known = offline(snapshot, ids, settings)
    pd.testing.assert_frame_equal(found[known.columns], known)


def test_an_unknown_id_is_named(tables: Path, settings: Settings) -> None:
    store.publish(snapshots(tables, settings, 0)[0], settings)
    with pytest.raises(store.UnknownEntity, match="nobody"):
        store.Online(settings).read("churn_v1", ["c00001", "nobody"])


def test_a_server_that_goes_away_is_said_and_its_return_is_noticed(
    tables: Path, settings: Settings, redis_server
) -> None:
    store.publish(snapshots(tables, settings, 0)[0], settings)
    online = store.Online(settings)
    before = online.read("churn_v1", ["c00001"])
    redis_server.stop()
    for _ in range(2):
        with pytest.raises(store.OnlineStoreUnavailable):
            online.read("churn_v1", ["c00001"])
    redis_server.start()
    pd.testing.assert_frame_equal(online.read("churn_v1", ["c00001"]), before)


def test_what_is_asked_ahead_survives_a_connection_that_is_closed_meanwhile(settings: Settings) -> None:
    rows, client = RedisRows(settings.redis_url), redis.Redis.from_url(settings.redis_url)
    rows.write("p", "view", {"c1": b"one", "c2": b"two"})
    first, second = rows.ask("p", ["c1"]), rows.ask("p", ["c2", "nobody"])
    assert second() == [{"view": b"two"}, {}] and first() == [{"view": b"one"}]

    again = rows.ask("p", ["c1"])  # over a connection that was used before
    client.client_kill_filter(_type="normal", skipme=True)
    assert again() == [{"view": b"one"}] and rows.ask("p", ["c2"])() == [{"view": b"two"}]
    client.close()


def test_a_new_snapshot_replaces_the_old_one_and_leaves_nothing_behind(tables: Path, settings: Settings) -> None:
    online = store.Online(settings)
    client = redis.Redis.from_url(settings.redis_url)
    customers = len(pd.read_parquet(tables / "customers.parquet"))
    for snapshot in snapshots(tables, settings, 60, 30, 0):
        store.publish(snapshot, settings)
        found = online.read("churn_v1", ["c00001"])
        known = offline(snapshot, ["c00001"], settings)
        pd.testing.assert_frame_equal(found[known.columns], known)
    # The one that is served and the one before it; their registries, the record of both, and no lock.
    assert len(client.keys("*churn_v1*")) == 2 * customers + 1
    assert len(client.keys("adloop:*")) == 3
    client.close()


def test_packed_rows_are_what_feasts_own_store_says(tables: Path, settings: Settings) -> None:
    (snapshot,) = snapshots(tables, settings, 0)
    store.publish(snapshot, settings)
    ids = [*pd.read_parquet(tables / "customers.parquet")["customer_id"].tolist(), "nobody"]
    address = settings.redis_url.removeprefix("redis://").partition("/")[0]
    own = asked_of_feast(snapshot, settings, ids, {"type": "redis", "connection_string": f"{address},db=1"})
    assert asked_of_feast(snapshot, settings, ids, None) == own
    reader, vectors = store.Online(settings).vectors("churn_v1", ids)
    floats = [[np.nan if value is None else float(value) for value in own[name]] for name in reader.columns]
    np.testing.assert_array_equal(vectors.numbers, np.array(floats).T)
    assert vectors.known.tolist() == [True] * (len(ids) - 1) + [False]


def asked_of_feast(snapshot: store.Snapshot, settings: Settings, ids: list[str], own: dict[str, str] | None) -> dict:
    """Feast's answer from the packed rows, or from a store of its own that the snapshot is materialized to now."""
    with tempfile.TemporaryDirectory() as folder, offline_store.engine(snapshot, settings):
        feast = online._feast(snapshot, online_metadata(settings), Path(folder))
        if own is not None:
            feast = offline_store.feature_store(snapshot, Path(folder), own)
            as_of = pd.Timestamp(snapshot.as_of, tz="UTC").to_pydatetime()
            feast.materialize(start_date=as_of, end_date=as_of)
        return feast.get_online_features(feast.get_feature_service("churn_v1"), {"customer_id": ids}).to_dict()
