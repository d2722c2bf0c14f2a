"""`adloop customers`: proposals, targets and files."""

import business
import pandas as pd
import pytest
from click.testing import CliRunner

from features.tables import Tables
from pipelines import growth
from pipelines.cli import main
from serving.campaigns.customers.acquisition import channels


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    return Tables(business.write(tmp_path_factory.mktemp("shop") / "tables", customers=200))


def test_proposals_and_their_quality_are_of_the_same_items(tables, tmp_path):
    at = business.START + pd.Timedelta(days=business.DAYS)
    found = growth.proposals(tables, "product_id", ["c00001", "nobody"], at)
    assert not set(found.loc[0, "again"]) & set(found.loc[0, "new"])
    assert found.loc[1, "again"] == [] and len(found.loc[1, "new"]) == growth.ITEMS
    tested = growth.quality(tables, "product_id", at, 0)
    assert 0 < tested.again.value <= 1
    written = pd.read_csv(growth.write(found, tmp_path / "customers.csv"))
    assert written.loc[1, "new"].count(";") == growth.ITEMS - 1


def test_targets_are_what_bids_follow():
    rows = pd.DataFrame({"channel": "search", "value": [90.0, 110.0] * 50})
    (one,) = channels(rows, {}, 0.5, 2.0)
    assert growth.targets([one]).to_dict("records") == [
        {"channel": "search", "predicted_value": one.target, "most_cost": one.target / 2}
    ]


def test_the_commands_say_what_is_missing(tables, tmp_path, monkeypatch):
    monkeypatch.setenv("ADLOOP_HOME", str(tmp_path / "home"))

    def fails(*command):
        done = CliRunner().invoke(main, ["customers", *command, "--data", str(tables.folder)])
        assert done.exit_code == 1
        return done.stderr

    assert "has no champion: adloop run" in fails("growth")
    assert "--spend: expected CHANNEL=AMOUNT, got 'email'" in fails("acquisition", "--spend", "email")
    assert "of at least 0, got 'email=-1'" in fails("acquisition", "--spend", "email=-1")
