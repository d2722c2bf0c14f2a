"""A folder's name is a name: no sign in it means another folder, or several."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import business
import pandas as pd
import replays

from features import sources, store
from features.examples import Window, latest
from features.settings import Settings
from features.tables import Tables
from models.churn.examples import churn_examples

PARAMS = SimpleNamespace(seed=1, window=Window(horizon_days=28, step_days=56, min_history_days=84))
#: Folders in folders, so that one look is of all signs.
NAME = 'a?b/[x]/it\'s/a*b/a%20b/{a,b}/a "b"/a#b/%3F/**/a?b=1&c'

#: What the names would mean as patterns, or decoded.
TWINS = ("axb", "x", "a b", "a")


def test_data_and_state_may_lie_in_any_folder(tmp_path: Path) -> None:
    given = business.write(tmp_path / NAME / "data", customers=30)
    pd.read_parquet(given / "touches.parquet").to_csv(given / "touches.csv", index=False)
    (given / "touches.parquet").unlink()
    settings = Settings(home=tmp_path / NAME / "home")
    sources.read([str(given)], tmp_path / NAME / "tables", settings)
    tables = Tables(tmp_path / NAME / "tables")
    assert tables.rows()["customers"] == 30
    examples = churn_examples(tables, PARAMS)
    snapshot = store.build(tables, "churn_v1", examples, latest(tables), settings)
    frame = store.training_frame(snapshot, examples, settings)
    place = tmp_path
    for part in NAME.split("/"):
        for twin in TWINS:
            shutil.copytree(place / part, place / twin)
        assert {one.name for one in place.iterdir()} == {part, *TWINS}
        place /= part
    pd.testing.assert_frame_equal(store.training_frame(snapshot, examples, settings), frame)
    assert Tables(tmp_path / NAME / "tables").rows() == tables.rows()
    store.publish(snapshot, settings)
    assert len(store.Online(settings).read("churn_v1", ["c00007"])) == 1
    assert {one.name for one in tmp_path.iterdir()} == {NAME.split("/")[0], *TWINS}


def test_replays_may_lie_in_any_folder(tmp_path: Path) -> None:
    for name in ("a?b", "axb"):
        replays.write(tmp_path / name)
    sources.read([str(tmp_path / "a?b")], tmp_path / "read", Settings(home=tmp_path / "home"))
    sources.read([str(tmp_path / "axb")], tmp_path / "other", Settings(home=tmp_path / "home"))
    assert Tables(tmp_path / "read").rows() == Tables(tmp_path / "other").rows()


def test_the_registry_lies_in_its_home(registry_home: Path, tmp_path: Path) -> None:
    from models.registry import Registry

    home = shutil.copytree(registry_home, tmp_path / "a?b" / "a%20b" / "[x]" / "a#b")
    registry = Registry(Settings(home=home))
    assert registry._client.search_registered_models() == [] and registry.champion("churn") is None
    registry._client.create_registered_model("churn")
    with closing(sqlite3.connect(home / "mlflow.db")) as db:
        assert db.execute("SELECT name FROM registered_models").fetchall() == [("churn",)]
    for place in (home, *home.parents[:3]):
        assert list(place.parent.iterdir()) == [place]
