"""Scores of customers become leads in both CRMs, and segments become lists, whatever was there before."""

from collections.abc import Iterator
from datetime import date
from time import time

import pandas as pd
import pytest

from serving.integrations import catalog, lead_scores
from serving.integrations.apply import apply
from serving.integrations.ledger import WriteLedger
from serving.integrations.outside import look
from serving.integrations.platform import Platform
from serving.integrations.undo import undo
from tests.fakes import catalog as fakes
from tests.fakes import hubspot, salesforce
from tests.fakes.fake import Running, running

DAY, NEXT = date(2026, 10, 5), date(2026, 10, 6)
MODULES = {"hubspot": hubspot, "salesforce": salesforce}


@pytest.fixture(params=MODULES)
def fake(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    with running(fakes.fake(request.param)) as found:
        found.connect(monkeypatch.setenv)
        yield found


@pytest.fixture
def platform(fake: Running) -> Iterator[Platform]:
    opened = catalog.platform(fake.fake.name)
    yield opened
    opened.close()


def scores(**by_customer: float) -> pd.DataFrame:
    band = ["high" if value > 0.5 else "low" for value in by_customer.values()]
    return pd.DataFrame({"customer_id": by_customer.keys(), "probability": by_customer.values(), "band": band})


def table(**by_customer: float) -> pd.DataFrame:
    return lead_scores.leads(scores(**by_customer), "probability", ["band"])


def intend(platform: Platform, ledger: WriteLedger, leads: pd.DataFrame, day: date) -> int:
    return len(ledger.intend(lead_scores.lead_changes(platform, ledger, leads, day, "tests"), time()))


def shown(platform: Platform) -> dict[str, tuple[float, str]]:
    return {one.fields["customer_id"]: (one.fields["score"], one.fields["reason"]) for one in platform.objects("lead")}


def test_only_news_is_written_with_a_note_each(fake: Running, platform: Platform, ledger: WriteLedger) -> None:
    assert intend(platform, ledger, table(a=0.91234567, b=0.2), DAY) == 2
    assert intend(platform, ledger, table(a=0.91234567, b=0.2), DAY) == 0, "the same change"
    assert len(apply(platform, ledger).confirmed) == 2
    assert intend(platform, ledger, table(a=0.91234567, b=0.2), NEXT) == 0, "nothing is new"
    assert intend(platform, ledger, table(a=0.4, b=0.2), NEXT) == 1
    assert len(apply(platform, ledger).confirmed) == 1
    assert {key: shown(platform)[key] for key in ("a", "b")} == {"a": (0.4, "band: low"), "b": (0.2, "band: low")}
    assert len(fake.state.markers()) == 3, "a note for each scoring"
    [changed] = [one.change.change_id for one in ledger.entries() if one.change.doing == "update"]
    undo(platform, ledger, changed, "ann")
    apply(platform, ledger)
    assert shown(platform)["a"] == (0.9123, "band: high")


def test_a_score_that_a_person_set_is_left_alone(fake: Running, platform: Platform, ledger: WriteLedger) -> None:
    intend(platform, ledger, table(a=0.9), DAY)
    apply(platform, ledger)
    [lead] = [one.object_id for one in platform.objects("lead") if one.fields["customer_id"] == "a"]
    fake.state.edit("lead", lead, {"score": 0.1}, "bob@example.org")
    intend(platform, ledger, table(a=0.8), NEXT)
    assert len(apply(platform, ledger).held) == 1
    assert shown(platform)["a"][0] == 0.1


def test_leads_that_were_there_are_updated(platform: Platform, ledger: WriteLedger) -> None:
    look(ledger, platform, time())
    [change] = lead_scores.lead_changes(platform, ledger, table(known=0.7), DAY, "tests")
    assert (change.doing, sorted(change.fields)) == ("update", ["reason", "score"])


def test_a_list_holds_its_segment_and_what_people_added(fake: Running, platform: Platform, ledger: WriteLedger) -> None:
    module = MODULES[fake.fake.name]
    intend(platform, ledger, table(a=0.9, b=0.9, c=0.9), DAY)
    ledger.intend([module.change("list", "list", name="Likely to leave")], time())
    apply(platform, ledger)
    place = ledger.object_of("list")
    platform.send([module.change("theirs", "list_member", parent=place, customer_id="c")])  # not by the ledger
    for day, segment in ((DAY, {"a", "b"}), (NEXT, {"b"})):
        ledger.intend(lead_scores.member_changes(platform, ledger, place, segment, day, "tests"), time())
        apply(platform, ledger)
        assert not lead_scores.member_changes(platform, ledger, place, segment, day, "tests")
    members = [one for one in platform.objects("list_member") if one.parent == place]
    assert {one.fields["customer_id"] for one in members if one.fields["status"] == "live"} == {"b", "c"}


def test_tables_that_are_wrong_are_named(platform: Platform, ledger: WriteLedger) -> None:
    with pytest.raises(ValueError, match="expected a column value, got customer_id, probability, band"):
        lead_scores.leads(scores(a=0.9), "value", [])
    with pytest.raises(ValueError, match="expected a column reason"):
        lead_scores.lead_changes(platform, ledger, table(a=0.9).drop(columns="reason"), DAY, "tests")
    with pytest.raises(ValueError, match="expected each customer once, got 'a' twice"):
        lead_scores.lead_changes(platform, ledger, pd.concat([table(a=0.9)] * 2), DAY, "tests")
    many = pd.DataFrame({"customer_id": [str(n) for n in range(10_001)], "score": 0.5, "reason": "r"})
    with pytest.raises(ValueError, match="expected at most 10000 that are new, got 10001"):
        lead_scores.lead_changes(platform, ledger, many, DAY, "tests")


def test_reasons_are_readable_and_customers_without_a_score_left_out() -> None:
    said = pd.DataFrame(
        {"customer_id": ["a", "b"], "p": [0.123456, None], "band": ["high", "low"], "days": [41.26, 2.0]}
    )
    [lead] = lead_scores.leads(said, "p", ["band", "days"]).to_dict("records")
    assert lead == {"customer_id": "a", "score": 0.1235, "reason": "band: high, days: 41.3"}
