"""Any attribute can be told: those whose names Feast or the examples keep get one like it, and that is said."""

from pathlib import Path
from types import SimpleNamespace

import business
import pandas as pd
import pytest

from features import sources, store
from features.attribute_names import safe
from features.contracts import ContractBroken, check
from features.examples import Window, latest
from features.settings import Settings
from features.tables import Tables
from models.ltv.examples import value_examples

KEPT = ["a b", "x__y_z", 'say "hi"', "it's", "\U0001f600", "select", "a,b", "[x]", "{x}", "a.b", "row", "0", "\u00e9"]
CHANGED = {
    "a:b": "a_b",
    "position_y": "position_y_attribute",
    "event_timestamp": "event_timestamp_attribute",
    "observed_until": "observed_until_attribute",
    "entity_row_id": "entity_row_id_attribute",
    "rn": "rn_attribute",
    "split": "split_attribute",
    "value": "value_attribute",
    "Recency_Days": "Recency_Days_attribute",
    "churn_probability": "churn_probability_attribute",
    "value_1y": "value_1y_attribute",
    "two\nlines": "two_lines",
}


@pytest.mark.parametrize("name", KEPT)
def test_a_name_that_can_be_a_features_is_kept(name: str) -> None:
    assert safe(name, ["customer_id"]) == name


@pytest.mark.parametrize(("name", "other"), CHANGED.items())
def test_a_name_that_cannot_is_changed(name: str, other: str) -> None:
    assert safe(name, ["customer_id"]) == other


def test_two_names_that_differ_by_case_are_two() -> None:
    assert safe("plan", ["Plan"]) == "plan_2"
    assert safe("PLAN", ["Plan", "plan_2"]) == "PLAN_3"


def test_features_of_any_name_are_joined_and_read_online(tmp_path: Path) -> None:
    given = business.write(tmp_path / "given", customers=40)
    customers = pd.read_parquet(given / "customers.parquet")
    asked = [*KEPT, *CHANGED, "Plan"]
    more = {name: range(place, place + len(customers)) for place, name in enumerate(asked)}
    pd.concat([customers, pd.DataFrame(more)], axis=1).to_csv(given / "customers.csv", index=False)
    (given / "customers.parquet").unlink()
    settings = Settings(home=tmp_path / "home")
    notes = sources.read([str(given)], tmp_path / "tables", settings)
    check(tmp_path / "tables")
    tables = Tables(tmp_path / "tables")
    window = Window(horizon_days=28, step_days=56, min_history_days=84)
    examples = value_examples(tables, SimpleNamespace(seed=1, window=window))
    snapshot = store.build(tables, "ltv_v1", examples, latest(tables), settings)
    frame = store.training_frame(snapshot, examples, settings)
    store.publish(snapshot, settings)
    online = store.Online(settings).read("ltv_v1", ["c00007"])
    for place, name in enumerate(asked):
        called = {**CHANGED, "Plan": "Plan_2"}.get(name, name)
        assert online[called].tolist() == [place + 7]
        assert frame.loc[frame["customer_id"] == "c00007", called].eq(place + 7).all()
        assert (called == name) or f"'{called}'" in " ".join(notes)


def test_tables_that_come_another_way_are_refused_with_what_to_do(tmp_path: Path) -> None:
    pd.DataFrame({"customer_id": ["a"], "a:b": [1]}).to_parquet(tmp_path / "customers.parquet")
    with pytest.raises(ContractBroken, match=r"column 'a:b'.*rename it, for example to a_b"):
        check(tmp_path)
