"""Spark, when it is really there, computes the features that DuckDB does."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from features import offline, sources, spark
from features.settings import Settings
from features.tables import Tables
from features.transforms import CAMPAIGN, CREATIVE, CUSTOMER, GROUPS
from features.transforms.groups import Entity
from features.views import SERVICES
from tests.benchmarks.infra_spark import PLAIN_SPARK, equal_cells

pyspark = pytest.importorskip("pyspark", reason="features on Spark need pyspark: install adloop[spark]")
if shutil.which("java") is None:
    pytest.skip("features on Spark need Java", allow_module_level=True)

DAY = pd.Timedelta(days=1)


@pytest.fixture(autouse=True, scope="module")
def _plain() -> Iterator[None]:
    """Spark as its configuration makes it quickest on little data."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYSPARK_SUBMIT_ARGS", PLAIN_SPARK)
        yield


@pytest.fixture(scope="module")
def bundled(tmp_path_factory: pytest.TempPathFactory) -> Tables:
    """Some customers of Complete Journey, some auctions of three campaigns and all creatives of the market."""
    whole, some = tmp_path_factory.mktemp("whole"), tmp_path_factory.mktemp("some")
    sources.read(["complete_journey", "auction_simulator", "creative_market"], whole, Settings(home=whole / "home"))
    few = {
        **dict.fromkeys(("customers", "transactions", "touches"), "hash(customer_id) % 100 = 0"),
        "auctions": "campaign_id IN (SELECT campaign_id FROM {table} GROUP BY 1 ORDER BY 1 LIMIT 3) AND "
        "hash(occurred_at) % 20 = 0",
    }
    with duckdb.connect() as db:
        for name in Tables(whole).names:
            table = Tables(whole).sql(name)
            where = few.get(name, "true").format(table=table)
            db.sql(f"FROM {table} WHERE {where}").write_parquet(str(some / f"{name}.parquet"))
    return Tables(some)


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Tables:
    """What real tables have: zones, returns, half seconds, gaps, orders told twice, logs without a time, odd names."""
    folder = tmp_path_factory.mktemp("odd")
    moments = pd.to_datetime(
        ["2023-12-31 23:30", "2024-01-07 22:59:59.9", "2024-03-31 01:00", "2024-05-05 12:00:00.5"], format="ISO8601"
    )
    lines = pd.DataFrame(
        {
            "customer_id": ["Zoë", "Zoë", "o'Hara", "Zoë", "o'Hara", "Zoë"],
            "occurred_at": [*moments, moments[1], moments[3]],
            "zone": ["America/New_York", None, "Europe/Berlin", "Europe/Berlin", None, "Europe/Berlin"],
            "amount": [10.0, -4.0, 0.0, 2.5, 7.0, 1.25],
            "order_id": ["a", "a", None, "b", None, "b"],
            "category": ["x", None, "y", "x", "x", "z"],
            "on_promotion": [True, None, False, True, None, False],
        }
    )
    people = pd.DataFrame(
        {
            "customer_id": ["Zoë", "o'Hara", "new"],
            'the "plan"': ["Größe", None, ""],
            "joined": pd.to_datetime(["2023-06-01 10:00:00.7", None, "2030-01-01"], format="ISO8601"),
            "vip": [True, None, False],
            "visits": [3, 0, 2**40],
        }
    )
    auctions = pd.DataFrame(
        {
            "campaign_id": ["one"] * 6 + ["two"] * 4,
            "market_price": [float(price) for price in range(10)],
            "click": [0, 1, 0, 1, 0, 0, 1, 0, 0, 1],
            "predicted_ctr": 0.25,
            "conversion_value": [None, 5.0, 0.0, 2.0] + [None] * 6,
        }
    )
    for name, frame in {"transactions": lines, "customers": people, "auctions": auctions}.items():
        frame.to_parquet(folder / f"{name}.parquet", index=False, coerce_timestamps="us")
    return Tables(folder)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("entity", [CUSTOMER, CAMPAIGN, CREATIVE], ids=lambda entity: entity.name)
def test_bundled_data_have_the_same_features_on_spark(bundled: Tables, entity: Entity, tmp_path: Path) -> None:
    last = entity.latest(bundled, None)
    same(bundled, entity, [last, last - 7 * DAY, last - 14.25 * DAY], tmp_path)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("entity", [CUSTOMER, CAMPAIGN], ids=lambda entity: entity.name)
def test_odd_data_have_the_same_features_on_spark(odd: Tables, entity: Entity, tmp_path: Path) -> None:
    moments = ["1999-12-31 23:57:30", "2024-01-01", "2024-01-07 23:00:00.2", "2024-05-05 12:00:01"]
    same(odd, entity, [pd.Timestamp(moment) for moment in moments], tmp_path)


@pytest.mark.timeout(900)
def test_what_a_group_has_read_is_kept_for_the_others(odd: Tables, tmp_path: Path) -> None:
    tables = Tables(shutil.copytree(odd.folder, tmp_path / "tables"))
    statements = [GROUPS[name].sql(tables) for name in ("rfm", "trend", "intervals", "seasonality", "promotion")]
    spine = pd.DataFrame({"customer_id": ["Zoë", "o'Hara"], "event_timestamp": pd.Timestamp("2024-05-06")})
    with spark.connect("local[1]") as db:
        CUSTOMER.history.read_events(db, tables)
        CUSTOMER.history.stand_at(db, tables, spine)
        assert db.sql(statements[0]).to_arrow_table().num_rows == len(spine)
        shutil.rmtree(tables.folder)
        for statement in statements[1:]:
            assert db.sql(statement).to_arrow_table().num_rows == len(spine)


def same(tables: Tables, entity: Entity, moments: list[pd.Timestamp], home: Path) -> None:
    """Every service of the entity has equal files, whichever of the two computed them."""
    ids = pd.read_parquet(tables.path(entity.table), columns=[entity.key]).drop_duplicates()
    spine = pd.concat([ids.assign(event_timestamp=moment) for moment in moments])
    views = {service.views: name for name, service in SERVICES.items() if service.entity == entity}
    assert views
    for service in views.values():
        one, other = (
            offline.build(tables, service, spine, None, Settings(home=home / str(master), spark_master=master))
            for master in (None, "local[1]")
        )
        files = sorted(Path(one.folder).glob("*.parquet"))
        assert files and [file.name for file in files] == sorted(at.name for at in Path(other.folder).glob("*.parquet"))
        for file in files:
            assert equal_cells(pd.read_parquet(file), pd.read_parquet(Path(other.folder) / file.name)) == 1.0, file.name
