"""A campaign from its file to its end by the commands, against fakes of platforms and pages on loopback."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner

from features.settings import Settings
from pipelines.cli import main
from serving.access import keys
from serving.integrations import catalog
from tests.fakes import catalog as fakes
from tests.fakes.fake import Running, running
from tests.unit.serving.campaigns.pages import serving_pages
from tests.unit.serving.campaigns.test_reading import EXAMPLE

Run = Callable[..., str]


@pytest.fixture
def google(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Running]:
    monkeypatch.setenv("ADLOOP_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ADLOOP_LANDING_PAGES", "any")
    with running(fakes.fake("google_ads")) as fake:
        fake.connect(monkeypatch.setenv)
        yield fake


@pytest.fixture
def adloop(monkeypatch: pytest.MonkeyPatch) -> Run:
    def run(*said: str, key: str = "", exits: int = 0) -> str:
        monkeypatch.delenv("ADLOOP_API_KEY", raising=False)
        if key:
            monkeypatch.setenv("ADLOOP_API_KEY", key)
        done = CliRunner().invoke(main, said)
        assert done.exit_code == exits, done.output
        return done.output

    return run


def _file(folder: Path, url: str) -> str:
    """The example on this fake's account, from today on."""
    today = date.today()
    text = EXAMPLE.read_text().replace("https://shop.example", url)
    text = text.replace("2027-03-01", str(today)).replace("2027-03-30", str(today + timedelta(days=29)))
    path = folder / "spring.yaml"
    path.write_text(text)
    return str(path)


def _shown() -> dict[str, Any]:
    """The campaign as Google shows it."""
    platform = catalog.platform("google_ads")
    (found,) = [one.fields for one in platform.objects("campaign") if one.fields["name"] == "malt-spring"]
    platform.close()
    return {name: found[name] for name in ("status", "daily_budget")}


def _state(adloop: Run) -> str:
    return str(json.loads(adloop("campaign", "show", "malt-spring", "--json"))["state"])


def test_a_users_path(google: Running, adloop: Run, tmp_path: Path) -> None:
    with serving_pages() as url:
        file = _file(tmp_path, url)
        assert "malt-spring version 1 is draft" in adloop("campaign", "plan", file)
        assert "no daily limit" in " ".join(adloop("campaign", "check", "malt-spring", exits=1).split())
        adloop("budget", "shop", "--daily", "100")
        assert "malt-spring version 1 is checked" in adloop("campaign", "check", "malt-spring")
        assert "another person approves" in adloop("campaign", "approve", "malt-spring", "--why", "mine", exits=1)
        bob = keys.make(Settings(), "bob", ["approve"], 10.0)
        approved = adloop("campaign", "approve", "malt-spring", "--why", "fine", key=bob)
        assert "malt-spring version 1 is approved" in approved
        assert "8 changes are wanted" in adloop("campaign", "launch", "malt-spring", "--why", "spring begins")
    assert _state(adloop) == "approved"
    assert "8 changes confirmed, 0 refused" in adloop("apply")
    assert _state(adloop) == "live"
    assert _shown() == {"status": "live", "daily_budget": 60.0}
    adloop("kill", "shop", "--why", "odd spend")
    adloop("campaign", "pause", "malt-spring", "--why", "holiday")
    assert "account shop is stopped: odd spend" in adloop("apply")
    assert _shown()["status"] == "live"  # after the stop no call leaves, whatever it would do
    adloop("kill", "shop", "--lift")
    adloop("apply")
    assert (_state(adloop), _shown()["status"]) == ("paused", "paused")
    adloop("campaign", "end", "malt-spring", "--why", "over")
    adloop("apply")
    assert _state(adloop) == "ended"
    told = json.loads(adloop("campaign", "show", "malt-spring", "--json"))["events"]
    assert [(one["what"], one["who"]) for one in told if one["what"] != "asked"] == [
        *(("draft", "adloop"), ("checked", "adloop"), ("approval", "bob"), ("approved", "bob")),
        *(("live", "adloop"), ("paused", "adloop"), ("ended", "adloop")),
    ]


#: What the example's platform is replaced by: a segment of the best customers at Meta, a sponsored post at LinkedIn.
META = """segments:
  - {name: best, scores: scores.parquet, contacts: contacts.parquet, column: ltv, top: 0.5}
platforms:
  meta:
    account: "1500"
    ad_groups:
      - {name: best, bid: 0.8, audiences: [best], countries: [DE], placements: [facebook], ads: [AD]}
"""
LINKEDIN = """platforms:
  linkedin:
    account: "512345678"
    options: {locations: ["urn:li:geo:101282230"], political: false}
    ad_groups:
      - {name: best, bid: 2.0, ads: [AD]}
"""
AD = (
    '{name: light, url: "https://shop.example/malt", headlines: [Malt Running Shoe],'
    ' bodies: ["A running shoe with a sole of natural rubber that weighs only 210 g."]}'
)


@pytest.mark.parametrize(("name", "planned", "parts"), [("meta", META, 6), ("linkedin", LINKEDIN, 5)])
def test_a_launch_comes_whole_to_other_platforms(
    name: str, planned: str, parts: int, adloop: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ADLOOP_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ADLOOP_LANDING_PAGES", "any")
    customers = [f"c{number}" for number in range(4000)]
    scores = pd.DataFrame({"customer_id": customers, "ltv": range(4000)})
    scores.to_parquet(tmp_path / "scores.parquet")
    contacts = scores[["customer_id"]].assign(email=[f"{one}@example.org" for one in customers])
    contacts.to_parquet(tmp_path / "contacts.parquet")
    with serving_pages() as url, running(fakes.fake(name)) as fake:
        fake.connect(monkeypatch.setenv)
        with closing(catalog.platform(name)) as platform:  # the fake shows at once what was written
            monkeypatch.setattr(type(platform), "settles_s", 0.0)
        file = Path(_file(tmp_path, url))
        before = file.read_text().partition("platforms:")[0]
        file.write_text(before + planned.replace("AD]", f"{AD.replace('https://shop.example', url)}]"))
        adloop("campaign", "plan", str(file))
        adloop("budget", "shop", "--daily", "100")
        adloop("campaign", "check", "malt-spring")
        key = keys.make(Settings(), "bob", ["approve"], 10.0)
        adloop("campaign", "approve", "malt-spring", "--why", "yes", key=key)
        adloop("campaign", "launch", "malt-spring", "--why", "go")
        assert f"{parts} changes confirmed, 0 refused" in adloop("apply")
    assert _state(adloop) == "live"
    kept = b"".join(one.read_bytes() for one in (tmp_path / "home" / "platforms").rglob("*") if one.is_file())
    assert b"@example.org" not in kept
