"""Packed rows say what Feast's own store says, through Feast and past it."""

import tempfile
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from feast.protos.feast.types.Value_pb2 import Value

from features import offline, online, store, transforms, views
from features.examples import Window, latest
from features.online_metadata import online_metadata
from features.packed.layout import Layout
from features.packed.rows import SqliteRows
from features.settings import Settings
from features.tables import Tables
from features.transforms import CUSTOMER
from features.transforms.groups import Group
from models.churn.examples import churn_examples

PARAMS = SimpleNamespace(seed=1, window=Window(horizon_days=28, step_days=56, min_history_days=84))
SERVICE = "churn_v1"


def asked_of_feast(snapshot: store.Snapshot, settings: Settings, ids: list[str], place: dict[str, str] | None) -> dict:
    """Feast's own answer, from the packed store or, materialized now, from a store of Feast's."""
    with tempfile.TemporaryDirectory() as folder, offline.engine(snapshot, settings):
        if place is None:
            feast = online._feast(snapshot, online_metadata(settings), Path(folder))
        else:
            (Path(folder) / "registry.db").write_bytes(online._registry(snapshot, settings))
            feast = offline.feature_store(snapshot, Path(folder), place)
            online._update(feast, keep=feast.list_feature_views())
            as_of = pd.Timestamp(snapshot.as_of, tz="UTC").to_pydatetime()
            feast.materialize(start_date=as_of, end_date=as_of)
        return feast.get_online_features(feast.get_feature_service(SERVICE), {"customer_id": ids}).to_dict()


def test_packed_rows_are_what_feasts_own_store_says(shop: Tables, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    snapshot = store.build(shop, SERVICE, churn_examples(shop, PARAMS), latest(shop), settings)
    store.publish(snapshot, settings)
    ids = [*pd.read_parquet(shop.path("customers"))["customer_id"].tolist()[::-1], "nobody"]
    own = asked_of_feast(snapshot, settings, ids, {"type": "sqlite", "path": str(tmp_path / "feast.db")})
    packed = asked_of_feast(snapshot, settings, ids, None)
    assert packed == own
    reader, vectors = store.Online(settings).vectors(SERVICE, ids)
    assert {*reader.columns, *reader.texts, "customer_id"} == set(own)
    floats = {name: [np.nan if value is None else float(value) for value in own[name]] for name in reader.columns}
    np.testing.assert_array_equal(vectors.numbers, np.array(list(floats.values())).T)
    assert dict(vectors.texts) == {name: own[name] for name in reader.texts}
    assert vectors.known.tolist() == [True] * (len(ids) - 1) + [False]


TASTE = """
    SELECT customer_id, event_timestamp, NULL::TIMESTAMP AS observed_until,
           CASE WHEN customer_id < 'c00020' THEN [row / 4, -1.5]::DOUBLE[] END AS taste
    FROM spine
"""


def test_a_vector_is_a_feature_offline_as_online(shop: Tables, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(transforms.GROUPS, "taste", Group(CUSTOMER, lambda tables: TASTE))
    monkeypatch.setitem(views.SERVICES, SERVICE, views.Service(CUSTOMER, ("rfm", "attributes", "taste")))
    settings = Settings(home=tmp_path / "home")
    customers = pd.read_parquet(shop.path("customers"))["customer_id"].sort_values().tolist()
    examples = pd.DataFrame({"customer_id": customers, "event_timestamp": latest(shop), "split": "test"})
    snapshot = store.build(shop, SERVICE, examples, latest(shop), settings)
    learnt = store.training_frame(snapshot, examples, settings)["taste"].map(list, na_action="ignore").tolist()
    expected = [[(row + 1) / 4, -1.5] if name < "c00020" else None for row, name in enumerate(customers)]
    assert [None if value is None or value is pd.NA else value for value in learnt] == expected

    store.publish(snapshot, settings)
    own = asked_of_feast(snapshot, settings, customers, {"type": "sqlite", "path": str(tmp_path / "feast.db")})
    assert asked_of_feast(snapshot, settings, customers, None) == own
    assert own["taste"] == expected
    assert store.Online(settings).read(SERVICE, customers)["taste"].tolist() == expected
    assert store.Online(settings).vectors(SERVICE, customers)[1].vectors["taste"] == expected


LAYOUT = Layout("v", ("a", "b"), ("yes",), ("plan", "city"))


def test_a_number_that_is_nan_is_told_from_one_that_is_missing() -> None:
    at = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
    values = {"a": Value(double_val=np.nan), "yes": Value(bool_val=False), "plan": Value(string_val="gold ☂")}
    row = LAYOUT.pack(values, at)
    bits = LAYOUT.floats([row]).view("<u8")[0]
    nothing = LAYOUT.floats([None]).view("<u8")[0, 1]
    assert (bits[1:] == nothing).tolist() == [False, True, False]
    assert LAYOUT.floats([row])[0, 3] == 0.0
    assert LAYOUT.told(row) == ["gold ☂", None]


def test_a_type_that_cannot_be_packed_is_named() -> None:
    field = SimpleNamespace(name="tags", dtype="Array(String)")
    with pytest.raises(ValueError, match=r"feature 'tags' of v: .*Array\(String\)"):
        Layout.of(SimpleNamespace(name="v", features=[field]))


def test_dropping_a_view_leaves_the_others_of_the_project(tmp_path: Path) -> None:
    (tmp_path / "online.db").touch()
    rows = SqliteRows(str(tmp_path / "online.db"))
    for project, view in (("p", "one"), ("p", "two"), ("q", "one")):
        rows.write(project, view, {"c1": f"{project}{view}".encode()})
    rows.drop("p", ["one"])
    assert rows.ask("p", ["c1", "c2"])() == [{"two": b"ptwo"}, {}]
    assert rows.ask("q", ["c1"])() == [{"one": b"qone"}]
