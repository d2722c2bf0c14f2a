"""The end of a campaign: what it added against those held out, and an archive that needs no program."""

import json

import numpy as np
import pandas as pd
import pytest

from serving.campaigns.ending import holdout
from serving.campaigns.life import WrongState
from serving.campaigns.safety import gate
from serving.integrations.apply import apply
from tests.unit.serving.campaigns.test_checks import SEGMENT, Shop, shop, url

__all__ = ["shop", "url"]  # fixtures
DAY = 86_400.0
PEOPLE = [f"c{number}" for number in range(4000)]


def _launched(shop: Shop) -> None:
    pd.DataFrame({"customer_id": PEOPLE, "value": range(4000)}).to_parquet(shop.folder / "scores.parquet")
    contacts = pd.DataFrame({"customer_id": PEOPLE, "email": [f"{one}@shop.example" for one in PEOPLE]})
    contacts.to_parquet(shop.folder / "people.parquet")
    group = {"platforms:": SEGMENT, "bid: 0.8": "bid: 0.8\n        audiences: [best]"}
    shop.plan(**group, **{"holdout: 0.1": "holdout: 0.5"})
    shop.verdicts()
    shop.desk.approve("malt-spring", "bob", "fine")
    shop.desk.launch("malt-spring", "ann", "go")
    _applied(shop)


def _applied(shop: Shop) -> None:
    apply(shop.platform, shop.desk.known.ledger, gate.of(shop.desk.known), shop.clock)
    shop.desk.settle()


def _bought(shop: Shop, added: float) -> None:
    """Everybody buys for about 20 in the first weeks; those who were reached for so much more."""
    arms = pd.read_parquet(holdout.file(shop.desk.settings, "malt-spring"))
    drawn = np.random.default_rng(4)
    amounts = drawn.gamma(4.0, 5.0, len(arms)) + added * (arms["arm"] == holdout.REACHED)
    moment = pd.Timestamp(shop.clock() + 5 * DAY, unit="s")
    table = pd.DataFrame({"customer_id": arms["customer_id"], "occurred_at": moment, "amount": amounts})
    folder = shop.desk.settings.home / "synced"
    folder.mkdir()
    table.to_parquet(folder / "transactions.parquet")
    campaign = next(place for place, one in shop.platform.shown.items() if one.object == "campaign")
    pd.DataFrame(
        {
            **{"creative_id": ["a"], "campaign_id": [campaign], "occurred_at": [moment], "impressions": [1e5]},
            **{"clicks": [900.0], "conversions": [90.0], "spend": [1200.0]},
        }
    ).to_parquet(folder / "impressions.parquet")


@pytest.mark.parametrize(("added", "said"), [(5.0, "it paid off: it added"), (0.0, "no effect is shown")])
def test_a_campaign_is_assessed_against_those_held_out(shop: Shop, added: float, said: str) -> None:
    _launched(shop)
    _bought(shop, added)
    shop.clock.sleep(31 * DAY)
    assert len(shop.desk.end("malt-spring", "ann", "over").changes) == 1
    _applied(shop)
    ended = shop.desk.end("malt-spring", "ann", "over")
    found = ended.assessment
    assert found is not None and found.per_customer is not None
    assert found.said.startswith(said)
    assert found.per_customer[1] < added < found.per_customer[2]
    assert found.reached + found.held_out == 2000 and abs(found.reached - 1000) < 100
    assert (found.spend, found.conversions) == (1200.0, 90.0)
    assert shop.desk.known.lives.newest("malt-spring").state == "archived"


def test_the_archive_can_be_read_without_adloop_and_names_nobody(shop: Shop) -> None:
    _launched(shop)
    _bought(shop, 5.0)
    shop.desk.end("malt-spring", "ann", "over")
    _applied(shop)
    ended = shop.desk.end("malt-spring", "ann", "over")
    report, found = ended.report, ended.assessment
    assert report is not None and found is not None
    text = report.read_text()
    for told in ("# Campaign malt-spring", "it added", "| approval | bob | fine |", "text: birke malt", "SHA-256"):
        assert told in text
    files = {one.stem: pd.read_parquet(one) for one in report.parent.glob("*.parquet")}
    assert set(files) == {"versions", "events", "changes", "assessment"}
    assert list(files["events"]["what"])[-1] == "archived"
    assert set(files["changes"]["status"]) == {"confirmed"}
    members = files["changes"][files["changes"]["object"] == "audience_members"]
    assert json.loads(members["fields"].iloc[0])["emails"] == found.reached
    assert not any(len(word) == 64 for word in json.dumps(files["changes"].to_dict(), default=str).split('"'))
    again = shop.desk.end("malt-spring", "ann", "once more")
    assert again.assessment is not None and again.report == report


def test_without_a_holdout_nothing_is_claimed(shop: Shop) -> None:
    shop.plan()
    found = shop.desk.end("malt-spring", "ann", "no need").assessment
    assert found is not None and found.per_customer is None
    assert found.said == "nobody was held out of it, so that nobody can tell what would have been bought anyway"


def test_a_running_campaign_is_not_archived(shop: Shop) -> None:
    from serving.campaigns.ending.end import archived

    shop.plan()
    desk = shop.desk
    with pytest.raises(WrongState, match="is draft; expected ended"):
        archived(desk.known, desk.settings, "malt-spring", None, "ann", "x")  # type: ignore[arg-type]
