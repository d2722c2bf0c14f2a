"""What is joined through Feast by DuckDB's own joins is what Feast's own store for DuckDB joins."""

import tempfile
from pathlib import Path
from types import SimpleNamespace

import pandas as pd

from features import lake, offline, store
from features.examples import Window, latest
from features.settings import Settings
from features.tables import Tables
from models.churn.examples import churn_examples

PARAMS = SimpleNamespace(seed=1, window=Window(horizon_days=28, step_days=56, min_history_days=84))


def joined_by_feasts_own(snapshot: store.Snapshot, asked: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    """As `training_frame`, by the store that Feast brings for DuckDB."""
    import feast

    with tempfile.TemporaryDirectory() as folder:
        lake.fetch(f"{snapshot.folder}/registry.db", Path(folder) / "registry.db", settings)
        ours = offline.feature_store(snapshot, Path(folder)).config
        theirs = feast.FeatureStore(config=ours.model_copy(update={"offline_config": {"type": "duckdb"}}))
        assert type(theirs._get_provider().offline_store).__name__ == "DuckDBOfflineStore"
        found = theirs.get_historical_features(asked, theirs.get_feature_service(snapshot.service)).to_df()
    return found.assign(event_timestamp=found["event_timestamp"].dt.tz_localize(None))


def test_frames_are_what_feasts_own_store_joins(shop: Tables, tmp_path: Path) -> None:
    """At the moments of the snapshot's rows, between them, before the first, and of somebody it does not know."""
    settings = Settings(home=tmp_path / "home")
    examples = churn_examples(shop, PARAMS)
    snapshot = store.build(shop, "churn_v1", examples, latest(shop), settings)
    asked = examples[["customer_id", "event_timestamp"]].drop_duplicates()
    moved = [asked.assign(event_timestamp=asked["event_timestamp"] + pd.Timedelta(days=days)) for days in (-90, -1, 9)]
    nobody = asked.head(1).assign(customer_id="nobody")
    every = pd.concat([asked, *moved, nobody]).drop_duplicates(ignore_index=True)
    own = store.training_frame(snapshot, every, settings)
    theirs = every.merge(joined_by_feasts_own(snapshot, every, settings), on=list(every), how="left")
    assert own["recency_days"].isna().any() and own["recency_days"].notna().sum() > len(asked)
    pd.testing.assert_frame_equal(own, theirs)
