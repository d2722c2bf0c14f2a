"""Tables and features in S3 serve as well as those in a folder, over a real S3 server."""

from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from pytest import FixtureRequest

from components.check.step import check
from components.ingest.step import ingest
from components.validate.step import validate
from features import sources, store
from features.contracts import ContractBroken
from features.examples import Window, latest
from features.schema import Schema
from features.schema import read as schema_of
from features.settings import Settings
from features.tables import Tables, content_hash
from models.churn.examples import churn_examples

PARAMS = SimpleNamespace(seed=1, window=Window(horizon_days=28, step_days=56, min_history_days=84))


@pytest.fixture
def settings(s3, tmp_path: Path, request: FixtureRequest) -> Settings:
    return Settings(
        home=tmp_path / "home", offline_uri=f"s3://{s3.bucket}/{request.node.name}", s3_endpoint_url=s3.endpoint
    )


def test_tables_come_from_a_bucket_as_from_a_folder(s3, tables: Path, settings: Settings, tmp_path: Path) -> None:
    address = s3.upload(tables, "tables")
    ingested = ingest([address], tmp_path / "staged", settings)
    published = validate(tmp_path / "staged", tmp_path / "tables")
    ingest([str(tables)], tmp_path / "local", settings)
    assert ingested.data_hash == published.data_hash == content_hash(tmp_path / "local")


def test_the_fingerprint_follows_the_bucket(s3, tables: Path, settings: Settings, tmp_path: Path) -> None:
    address = s3.upload(tables, "prints")
    before = sources.fingerprint([address], settings)
    assert sources.fingerprint([address], settings) == before
    other = tmp_path / "customers.parquet"
    pd.read_parquet(tables / other.name).assign(extra=1).to_parquet(other)
    s3.client.upload_file(str(other), s3.bucket, f"prints/{other.name}")
    assert sources.fingerprint([address], settings) != before


def test_a_prefix_without_tables_is_no_source(settings: Settings, s3, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="s3://lake/nothing"):
        ingest(["s3://lake/nothing"], tmp_path / "staged", settings)
    assert not (tmp_path / "staged").exists()


def test_features_in_a_bucket_equal_those_in_a_folder(s3, tables: Path, settings: Settings, tmp_path: Path) -> None:
    """They may lie under any prefix."""
    source = Tables(tables)
    examples = churn_examples(source, PARAMS)
    odd = settings.model_copy(update={"offline_uri": f"s3://{s3.bucket}/a [b] c*d"})
    frames = []
    for place in (odd, Settings(home=tmp_path / "local")):
        snapshot = store.build(source, "churn_v1", examples, latest(source), place)
        frames.append(store.training_frame(snapshot, examples, place))
    pd.testing.assert_frame_equal(*frames)
    listed = s3.client.list_objects_v2(Bucket=s3.bucket, Prefix="a [b] c*d/")["Contents"]
    assert {Path(one["Key"]).name for one in listed} >= {"rfm.parquet", "registry.db", "snapshot.json"}


def test_a_snapshot_in_a_bucket_is_published(tables: Path, settings: Settings) -> None:
    source = Tables(tables)
    examples = churn_examples(source, PARAMS)
    snapshot = store.build(source, "churn_v1", examples, latest(source), settings)
    store.publish(snapshot, settings)
    ids = examples["customer_id"].unique()[:5].tolist()
    assert store.Online(settings).read("churn_v1", ids)["customer_id"].tolist() == ids


def test_tables_of_a_bucket_are_checked_and_read_by_a_schema(s3, settings: Settings, tmp_path: Path) -> None:
    shop = tmp_path / "shop"
    shop.mkdir()
    (shop / "Bestellungen.csv").write_bytes(
        "Kunde;Datum;Umsatz\n7;24.12.2023;1,50\nJosé;02.01.2024;2,75\n".encode("latin-1")
    )
    address = s3.upload(shop, "shop [2024]?")
    checked = check(address, settings, Schema())
    assert not checked.usable and checked.proposed_usable
    schema = schema_of(checked.proposed)
    ingested = ingest([address], tmp_path / "staged", settings, schema)
    assert ingested.rows == {"customers": 2, "transactions": 2}
    assert pd.read_parquet(tmp_path / "staged" / "transactions.parquet")["amount"].sum() == 4.25
    assert sources.fingerprint([address], settings, schema) == sources.fingerprint([address], settings, schema)


def test_a_broken_line_in_a_bucket_is_told_by_its_file(s3, settings: Settings, tmp_path: Path) -> None:
    shop = tmp_path / "torn"
    shop.mkdir()
    (shop / "transactions.csv").write_text("customer_id,occurred_at,amount\na,2024-01-01,5\nb,2024-01-02\n")
    with pytest.raises(ContractBroken, match=r"file transactions\.csv, line 3"):
        ingest([s3.upload(shop, "torn")], tmp_path / "staged", settings)
