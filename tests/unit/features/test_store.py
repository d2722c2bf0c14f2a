"""The store joins by point in time, refuses leaks, publishes whole and reads back what it published."""

import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from features import store, transforms, views
from features.examples import Window, latest
from features.settings import Settings
from features.tables import Tables
from features.transforms import CUSTOMER
from features.transforms.groups import Group
from models.churn.examples import churn_examples

PARAMS = SimpleNamespace(seed=1, window=Window(horizon_days=28, step_days=56, min_history_days=84))
SERVICE = "churn_v1"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


@pytest.fixture(scope="module")
def examples(shop: Tables) -> pd.DataFrame:
    return churn_examples(shop, PARAMS)


@pytest.fixture(scope="module")
def published(
    shop: Tables, examples: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory
) -> tuple[store.Snapshot, Settings]:
    """A snapshot of all the examples, published. To be read only."""
    settings = Settings(home=tmp_path_factory.mktemp("published"))
    snapshot = built(shop, examples, settings)
    store.publish(snapshot, settings)
    return snapshot, settings


def built(shop: Tables, examples: pd.DataFrame, settings: Settings, days_before: int = 0) -> store.Snapshot:
    return store.build(shop, SERVICE, examples, latest(shop) - pd.Timedelta(days=days_before), settings)


def test_the_frame_has_every_example_with_its_own_features(
    shop: Tables, examples: pd.DataFrame, published: tuple[store.Snapshot, Settings]
) -> None:
    shuffled = examples.sample(frac=1, random_state=0, ignore_index=True)
    frame = store.training_frame(published[0], shuffled, published[1])
    pd.testing.assert_frame_equal(frame[examples.columns], shuffled)
    bought = pd.read_parquet(shop.path("transactions"))
    for _, row in frame.sample(25, random_state=0).iterrows():
        past = bought[(bought["customer_id"] == row["customer_id"]) & (bought["occurred_at"] <= row["event_timestamp"])]
        assert row["monetary"] == pytest.approx(past["amount"].sum())
        assert row["recency_days"] == pytest.approx(
            (row["event_timestamp"] - past["occurred_at"].max()).total_seconds() / 86400
        )


def test_a_planted_future_purchase_changes_no_training_frame(
    shop: Tables, examples: pd.DataFrame, settings: Settings, tmp_path: Path
) -> None:
    planted = Tables(tmp_path / "planted")
    planted.folder.mkdir()
    for name in shop.names:
        planted.path(name).write_bytes(shop.path(name).read_bytes())
    bought = pd.read_parquet(shop.path("transactions"))
    future = bought.tail(200).assign(occurred_at=examples["event_timestamp"].max() + pd.Timedelta(days=1), amount=1e6)
    both = pd.concat([bought, future]).astype({"occurred_at": "datetime64[us]"})
    both.to_parquet(planted.path("transactions"), index=False)
    frames = []
    for tables in (shop, planted):
        snapshot = store.build(tables, SERVICE, examples, examples["event_timestamp"].max(), settings)
        frames.append(store.training_frame(snapshot, examples, settings))
    pd.testing.assert_frame_equal(*frames)


LEAKY = """
    SELECT s.customer_id, s.event_timestamp, max(o.occurred_at) AS observed_until,
           sum(o.amount)::DOUBLE AS spend_to_come
    FROM spine s LEFT JOIN orders o USING (customer_id) GROUP BY ALL
"""


def test_a_feature_that_knows_the_future_is_refused(
    shop: Tables, examples: pd.DataFrame, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(transforms.GROUPS, "leaky", Group(CUSTOMER, lambda tables: LEAKY))
    monkeypatch.setitem(views.SERVICES, SERVICE, views.Service(CUSTOMER, ("rfm", "leaky")))
    with pytest.raises(store.FutureLeak, match=r"view 'leaky': \d+ rows use events after") as caught:
        built(shop, examples, settings)
    assert (caught.value.rows["observed_until"] > caught.value.rows["event_timestamp"]).all()
    assert not list(settings.home.glob("features/*/*/snapshot.json"))


def test_a_new_family_takes_one_service(
    shop: Tables, examples: pd.DataFrame, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(views.SERVICES, "toy_v1", views.Service(CUSTOMER, ("rfm", "attributes")))
    snapshot = store.build(shop, "toy_v1", examples, latest(shop), settings)
    frame = store.training_frame(snapshot, examples, settings)
    assert {"recency_days", "age"} < set(frame)
    assert "gap_mean_days" not in frame
    store.publish(snapshot, settings)
    assert "gap_mean_days" not in store.Online(settings).read("toy_v1", ["c00001"])


@pytest.mark.parametrize("name", ["recency_days", "Monetary", "split"])
def test_an_attribute_may_not_take_the_name_of_a_feature(
    name: str, shop: Tables, examples: pd.DataFrame, settings: Settings, tmp_path: Path
) -> None:
    other = Tables(tmp_path)
    other.path("transactions").write_bytes(shop.path("transactions").read_bytes())
    pd.read_parquet(shop.path("customers")).assign(**{name: 1}).to_parquet(other.path("customers"))
    with pytest.raises(ValueError, match=f"column '{name}' of attributes"):
        built(other, examples, settings)


def test_an_unknown_service_is_named(shop: Tables, examples: pd.DataFrame, settings: Settings) -> None:
    with pytest.raises(KeyError, match="no feature service 'churn_v9'; there are: churn_v1, ltv_v1, bidding_v1"):
        store.build(shop, "churn_v9", examples, latest(shop), settings)


def test_online_equals_offline(shop: Tables, published: tuple[store.Snapshot, Settings]) -> None:
    snapshot, settings = published
    ids = pd.read_parquet(shop.path("customers"))["customer_id"].tolist()[::-1]
    asked = pd.DataFrame({"customer_id": ids, "event_timestamp": pd.Timestamp(snapshot.as_of)})
    offline = store.training_frame(snapshot, asked, settings).drop(columns="event_timestamp")
    online = store.Online(settings).read(SERVICE, ids)
    pd.testing.assert_frame_equal(online[offline.columns], offline)


def test_an_unknown_customer_is_named(published: tuple[store.Snapshot, Settings]) -> None:
    with pytest.raises(store.UnknownEntity, match="no customer 'nobody'"):
        store.Online(published[1]).read(SERVICE, ["c00001", "nobody"])


def test_a_store_that_goes_away_is_said_and_its_return_is_noticed(
    shop: Tables, examples: pd.DataFrame, settings: Settings
) -> None:
    online = store.Online(settings)
    with pytest.raises(store.OnlineStoreUnavailable, match="none were published"):
        online.read(SERVICE, ["c00001"])
    store.publish(built(shop, examples, settings), settings)
    before = online.read(SERVICE, ["c00001"])
    (settings.home / "online.db").rename(settings.home / "away.db")
    with pytest.raises(store.OnlineStoreUnavailable):
        online.read(SERVICE, ["c00001"])
    (settings.home / "online.db").write_text("this is no database, and long enough to be taken for one" * 100)
    with pytest.raises(store.OnlineStoreUnavailable, match="does not answer"):
        online.read(SERVICE, ["c00001"])
    (settings.home / "away.db").rename(settings.home / "online.db")
    pd.testing.assert_frame_equal(online.read(SERVICE, ["c00001"]), before)


def test_a_reader_sees_the_old_features_or_the_new_ones(
    shop: Tables, examples: pd.DataFrame, settings: Settings
) -> None:
    snapshots = [built(shop, examples, settings, days) for days in (60, 0)]
    store.publish(snapshots[0], settings)
    ids = [f"c{number:05d}" for number in range(100)]
    whole = {}
    for snapshot in snapshots:
        asked = pd.DataFrame({"customer_id": ids, "event_timestamp": pd.Timestamp(snapshot.as_of)})
        ages = store.training_frame(snapshot, asked, settings)["btyd_age"]
        whole[snapshot.as_of] = ages.to_numpy()
    seen, stop = [], threading.Event()

    def look() -> None:
        online = store.Online(settings)
        while not stop.is_set():
            seen.append(online.read(SERVICE, ids)["btyd_age"].to_numpy())

    reader = threading.Thread(target=look)
    reader.start()
    store.publish(snapshots[1], settings)
    stop.set()
    reader.join()
    after = store.Online(settings).read(SERVICE, ids)["btyd_age"].to_numpy()
    assert np.array_equal(after, whole[snapshots[1].as_of], equal_nan=True)
    assert seen
    for ages in seen:
        assert any(np.array_equal(ages, one, equal_nan=True) for one in whole.values())


BUILD_AND_PUBLISH = """
import sys
from pathlib import Path
import pandas as pd
from features import store
from features.settings import Settings
from features.tables import Tables

tables, home, examples = map(Path, sys.argv[1:])
settings = Settings(home=home)
snapshot = store.build(Tables(tables), "churn_v1", pd.read_parquet(examples), pd.Timestamp("2024-02-01"), settings)
store.publish(snapshot, settings)
"""


def test_two_builds_and_publications_at_once_do_not_disturb_each_other(
    shop: Tables, examples: pd.DataFrame, settings: Settings
) -> None:
    kept = settings.home.parent / "examples.parquet"
    examples.to_parquet(kept)
    command = [sys.executable, "-c", BUILD_AND_PUBLISH, str(shop.folder), str(settings.home), str(kept)]
    runs = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    for run in runs:
        assert run.wait(120) == 0, run.stderr.read()
    assert len(list(settings.home.glob(f"features/{SERVICE}/*"))) == 1
    assert len(store.Online(settings).read(SERVICE, ["c00001", "c00002"])) == 2
