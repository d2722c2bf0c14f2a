"""What is wrong with a campaign bars its launch, by the name of the check and with what to do."""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pandas as pd
import pytest

from features.fetch import Unreachable, fetched
from features.settings import Settings
from serving.campaigns.audiences import of_plan
from serving.campaigns.checks.run import CHECKS, LaunchBlocked
from serving.campaigns.checks.verdict import LaunchVerdict
from serving.campaigns.desk import CampaignDesk
from serving.campaigns.reading import read_plan
from serving.campaigns.safety import gate
from serving.integrations.apply import apply
from tests.unit.serving.campaigns.home import TestClock, opened
from tests.unit.serving.campaigns.memory_platform import MemoryPlatform
from tests.unit.serving.campaigns.pages import serving_pages
from tests.unit.serving.campaigns.test_reading import EXAMPLE


@dataclass
class Shop:
    """A home with a desk, an account at a platform in memory, and a landing page."""

    desk: CampaignDesk
    platform: MemoryPlatform
    clock: TestClock
    url: str
    folder: Path

    def plan(self, **replaced: str) -> None:
        text = EXAMPLE.read_text().replace("https://shop.example", self.url)
        for old, new in replaced.items():
            assert old in text
            text = text.replace(old, new.replace("URL", self.url))
        file = self.folder / "spring.yaml"
        file.write_text(text)
        self.desk.plan(*read_plan(file), "ann", "spring")

    def verdicts(self) -> dict[str, LaunchVerdict]:
        return {one.check: one for one in self.desk.check("malt-spring", "ann")[1]}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving_pages() as found:
        yield found


@pytest.fixture
def shop(tmp_path: Path, url: str) -> Shop:
    clock, platform = TestClock(), MemoryPlatform()
    known = opened(tmp_path / "home", clock)
    known.stops.limit("shop", 100.0)
    settings = Settings(home=tmp_path / "home", landing_pages="any")
    return Shop(CampaignDesk(known, settings, None, lambda _: platform), platform, clock, url, tmp_path)


def test_a_sound_campaign_passes_every_check_is_approved_and_launched(shop: Shop) -> None:
    shop.plan()
    found = shop.verdicts()
    assert {name: one.verdict for name, one in found.items()} == dict.fromkeys(
        [check.__name__ for check in CHECKS], "pass"
    )
    assert shop.desk.approve("malt-spring", "bob", "fine").state == "approved"
    assert len(shop.desk.launch("malt-spring", "ann", "go")) == 8
    apply(shop.platform, shop.desk.known.ledger, gate.of(shop.desk.known), shop.clock)
    assert [one.state for one in shop.desk.settle()] == ["live"]
    assert shop.desk.shown(shop.desk.known.lives.newest("malt-spring"))["approved_by"] == ["bob"]


GROUP = "      - name: running\n"


@pytest.mark.parametrize(
    ("old", "new", "check", "said"),
    [
        ("/malt", "/gone", "landing_page", "answers 404"),
        ("/malt", "/broken", "landing_page", "answers 500"),
        ("/malt", "/round", "landing_page", "more than 5 redirects"),
        ("/malt", "/lost", "landing_page", "no such host"),
        ("/malt", "/nowhere", "landing_page", "answers 302"),
        ("tracking: {source: google, medium: cpc}", "", "tracking", "running: light: no utm_source"),
        ("currency: EUR", "currency: USD", "currency", "the plan is in USD, google_ads is in EUR"),
        ("political: false", "political: null", "political", "not declared"),
        ("Only 210 g Light", "Vote for Our Mayor", "political", "reads as political (politics.declaration)"),
        ("categories: []", "categories: null", "regulated", "not declared"),
        ("kind: running shoe", "kind: running shoe\n  trade: gambling", "regulated", "trade is gambling"),
        (
            "        negative_keywords:\n          - {text: second hand, match: broad}\n"
            "          - {text: jobs, match: broad}\n",
            "",
            "negative_keywords",
            "google_ads: running: none",
        ),
        ("text: jobs", "text: birke malt", "negative_keywords", "'birke malt' is a keyword and a negative one"),
        ("total: 1800", "total: 1700", "budget", "60 a day for 30 days are 1800, above the total of 1700"),
        ("daily: 60, total: 1800", "daily: 101", "budget", "above the account's limit of 100"),
        ("start: 2027-03-01, end: 2027-03-30", "start: 2027-01-01, end: 2027-02-01", "dates", "is over"),
        ("start: 2027-03-01, end: 2027-03-30", "start: 2029-03-01, end: 2029-03-30", "dates", "a year away"),
        ('account: "1234567890"', 'account: "99"', "platform", "connected to account 1234567890, the plan names 99"),
        ("        bid: 0.8\n", "", "bid", "running has no bid; not enough data"),
        ("bid: 0.8", "bid: 2.6", "bid", "2.6 is above limits.bid 2.5"),
        ("Only 210 g Light", "Only 190 g Light", "copy", "the sheet says"),
        ("Only 210 g Light", "The Best Shoe of All", "copy", "(claim.superlative)"),
        ("Only 210 g Light", "Only 210 g Light and that is really light", "copy", "at most 30"),
        ("light running shoes", "nazi shoes", "brand_safety", "(brand.hate)"),
        ("format: google.search", "format: google.film", "creative", "format 'google.film' is unknown"),
        ("format: google.search", "image: URL/good.png", "creative", "google.search has no picture"),
        ("format: google.search", "format: meta.feed\n            image: URL/small.png", "creative", "300 pixels wide"),
        ("format: google.search", "format: meta.feed\n            image: URL/tall.png", "creative", "700 by 1400"),
        ("format: google.search", "format: meta.feed\n            image: URL/odd.webp", "creative", "is WEBP"),
        ("format: google.search", "format: meta.feed\n            image: URL/text.png", "creative", "is no picture"),
        ("format: google.search", "format: meta.feed\n            image: URL/none.png", "creative", "answers 404"),
    ],
)
def test_what_is_wrong_bars_the_launch_by_name(shop: Shop, old: str, new: str, check: str, said: str) -> None:
    shop.plan(**{old: new})
    found = shop.verdicts()[check]
    assert (found.verdict, bool(found.do)) == ("fail", True)
    assert said in found.said
    assert shop.desk.known.lives.newest("malt-spring").state == "draft"


@pytest.mark.parametrize(
    ("old", "new", "check", "said"),
    [
        ("daily: 60, total: 1800", "daily: 15", "budget", "do not pay for one conversion at 20"),
        ("start: 2027-03-01", "start: 2027-02-25", "dates", "it begins at once"),
        ("political: false", "political: true", "political", "declared as political"),
        (
            "format: google.search",
            "format: meta.feed\n            image: URL/wide.png",
            "creative",
            "is 900 by 600, 1.50:1",
        ),
        (
            "format: google.search",
            "format: meta.feed\n            image: URL/good.png\n            text_share: 0.4",
            "creative",
            "text covers 40%",
        ),
    ],
)
def test_a_warning_bars_nothing(shop: Shop, old: str, new: str, check: str, said: str) -> None:
    shop.plan(**{old: new})
    found = shop.verdicts()[check]
    assert found.verdict == "warn" and said in found.said


def test_what_fails_after_the_approval_bars_the_launch(shop: Shop) -> None:
    shop.plan()
    shop.verdicts()
    shop.desk.approve("malt-spring", "bob", "fine")
    shop.desk.known.stops.kill("odd spend", "shop")
    with pytest.raises(LaunchBlocked, match="stops: odd spend"):
        shop.desk.launch("malt-spring", "ann", "go")
    assert shop.desk.known.ledger.entries() == []


def test_an_account_without_a_limit_or_a_connection_is_told(shop: Shop) -> None:
    shop.plan(**{"account: shop": "account: other"})
    assert "account other has no daily limit" in shop.verdicts()["budget"].said
    unconnected = CampaignDesk(shop.desk.known, shop.desk.settings)
    found = {one.check: one for one in unconnected.check("malt-spring", "ann")[1]}
    assert found["platform"].verdict == "fail" and found["platform"].do == "adloop connect google_ads"
    assert found["currency"].verdict == "warn"


def test_private_addresses_are_not_asked(url: str) -> None:
    assert fetched(f"{url}/moved", 100, any_address=True) == b"<h1>Malt</h1>"
    for place in (url, "http://169.254.169.254/latest", "http://[::1]/", "http://10.0.0.1/"):
        with pytest.raises(Unreachable, match="is at a private address"):
            fetched(place, 0, any_address=False)
    for place in ("file:///etc/passwd", "gopher://localhost/"):
        with pytest.raises(Unreachable, match="expected http or https"):
            fetched(place, 0, any_address=True)
    with pytest.raises(Unreachable, match="larger than 5 bytes"):
        fetched(f"{url}/malt", 5, any_address=True)


SEGMENT = """segments:
  - {name: best, scores: scores.parquet, contacts: people.parquet, column: value, top: 0.5}
platforms:"""


def test_audiences_hold_hashes_of_those_who_are_not_held_out(shop: Shop) -> None:
    people = [f"c{number}" for number in range(4000)]
    pd.DataFrame({"customer_id": people, "value": range(4000)}).to_parquet(shop.folder / "scores.parquet")
    contacts = pd.DataFrame({"customer_id": people, "email": [f" {one}@Shop.example" for one in people]})
    contacts.to_parquet(shop.folder / "people.parquet")
    shop.plan(**{"platforms:": SEGMENT, "bid: 0.8": "bid: 0.8\n        audiences: [best]"})
    found = shop.verdicts()["audience"]
    assert (found.verdict, found.said) == ("pass", "best: 1,805 members")  # 2,000 of which 10% are held out
    members = of_plan(shop.desk.known.lives.newest("malt-spring").plan)["best"]
    assert sha256(b"c3999@shop.example").hexdigest() in members and len(set(members)) == 1805
    contacts.head(2500).to_parquet(shop.folder / "people.parquet")
    found = shop.verdicts()["audience"]
    assert found.verdict == "fail" and "members with an address, 1000 needed" in found.said
    contacts.drop(columns="email").to_parquet(shop.folder / "people.parquet")
    assert "expected a column email" in shop.verdicts()["audience"].said
