"""Keys are kept as hashes, followed in their file, and held to their rate."""

import json
import stat
from pathlib import Path

import pytest

from features.settings import Settings
from serving.access import keys
from serving.access.limits import Buckets, TooMany


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


def test_a_key_may_what_its_scopes_say(settings: Settings) -> None:
    given = keys.make(settings, "bidder", ["decide", "feedback"], 10)
    known = keys.Keys(settings)
    assert known.check(given, "decide").name == "bidder"
    with pytest.raises(keys.Forbidden, match="the key 'bidder' has no scope 'admin'"):
        known.check(given, "admin")


def test_only_its_owner_can_read_the_file_and_it_holds_no_secret(settings: Settings) -> None:
    given = keys.make(settings, "bidder", ["decide"], 10)
    place = keys.path(settings)
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert given.split("_", 2)[2] not in place.read_text()


def test_a_key_is_for_its_accounts_and_families_alone(settings: Settings) -> None:
    known = keys.Keys(settings)
    of_one = known.check(keys.make(settings, "acme", ["decide"], 10, accounts=["acme"]), "decide")
    of_one.need(["acme"], ["ltv"])
    for accounts, word in ((["beta"], "the account 'beta'"), (["acme", "beta"], "'beta'"), ([None], "all accounts")):
        with pytest.raises(keys.Forbidden, match=word):
            of_one.need(accounts)
    of_family = known.check(keys.make(settings, "crm", ["predict"], 10, families=["ltv"]), "predict")
    of_family.need([None, "beta"], ["ltv"])
    with pytest.raises(keys.Forbidden, match="'crm' is not for the family 'churn'"):
        of_family.need(families=["ltv", "churn"])
    of_none = known.check(keys.make(settings, "none", ["decide"], 10, accounts=[]), "decide")
    with pytest.raises(keys.Forbidden):
        of_none.need(["acme"])


@pytest.mark.parametrize("scope", ["predict", "explain"])
def test_a_key_of_accounts_cannot_ask_about_customers(settings: Settings, scope: keys.Scope) -> None:
    with pytest.raises(ValueError, match="customers belong to no account"):
        keys.make(settings, "acme", ["decide", scope], 10, accounts=["acme"])


@pytest.mark.parametrize("limit", ['"acme"', "[1]", "{}", "true"])
def test_a_limit_that_is_no_list_of_texts_opens_nothing(settings: Settings, limit: str) -> None:
    given = keys.make(settings, "acme", ["decide"], 10, accounts=["acme"])
    place = keys.path(settings)
    place.write_text(place.read_text().replace('[\n   "acme"\n  ]', limit))
    with pytest.raises(ValueError, match="a list of texts or null for accounts"):
        keys.read(place)
    with pytest.raises(keys.Unknown):
        keys.Keys(settings).check(given, "decide")


def test_a_file_written_before_keys_had_limits_is_read(settings: Settings) -> None:
    given = keys.make(settings, "old", ["decide"], 10)
    ((identity, said),) = json.loads(keys.path(settings).read_text()).items()
    before = {name: said[name] for name in ("name", "hash", "scopes", "per_s")}
    keys.path(settings).write_text(json.dumps({identity: before}))
    keys.Keys(settings).check(given, "decide").need(["any"], ["ltv"])


@pytest.mark.parametrize("wrong", ["", "adloop_", "adloop_000000000000_" + "a" * 43, "adloop_zz", "x" * 100_000])
def test_a_wrong_key_is_unknown_and_not_repeated(settings: Settings, wrong: str) -> None:
    keys.make(settings, "bidder", ["decide"], 10)
    with pytest.raises(keys.Unknown) as caught:
        keys.Keys(settings).check(wrong, "decide")
    assert wrong == "" or wrong not in str(caught.value)


def test_the_right_id_with_another_secret_is_unknown(settings: Settings) -> None:
    one, other = (keys.make(settings, name, ["decide"], 10) for name in ("one", "other"))
    mixed = one[: one.index("_", 7) + 1] + other.split("_", 2)[2]
    with pytest.raises(keys.Unknown):
        keys.Keys(settings).check(mixed, "decide")


def test_keys_are_followed_in_their_file(settings: Settings) -> None:
    known = keys.Keys(settings)
    with pytest.raises(keys.Unknown):
        known.check("adloop_000000000000_" + "a" * 43, "decide")
    old, new = (keys.make(settings, name, ["decide"], 10) for name in ("old", "new"))
    assert known.check(old, "decide").name == "old"
    assert keys.revoke(settings, "old") == 1
    with pytest.raises(keys.Unknown):
        known.check(old, "decide")
    assert known.check(new, "decide").name == "new"
    keys.path(settings).unlink()
    with pytest.raises(keys.Unknown):
        known.check(new, "decide")


@pytest.mark.parametrize(
    "broken", ["{", "[]", '{"a": {"name": "x"}}', '{"a": {"name": "x", "hash": "", "scopes": ["all"], "per_s": 1}}']
)
def test_a_file_that_is_broken_changes_nothing_until_it_is_mended(settings: Settings, broken: str) -> None:
    given, known = keys.make(settings, "bidder", ["decide"], 10), keys.Keys(settings)
    known.check(given, "decide")
    whole = keys.path(settings).read_text()
    keys.path(settings).write_text(broken)
    assert known.check(given, "decide").name == "bidder"
    keys.path(settings).write_text(whole.replace("bidder", "mended"))
    assert known.check(given, "decide").name == "mended"


def test_the_file_may_be_elsewhere(tmp_path: Path) -> None:
    place = tmp_path / "secrets" / "keys.json"
    settings = Settings(home=tmp_path / "home", api_keys=place)
    given = keys.make(settings, "bidder", ["decide"], 10)
    assert json.loads(place.read_text()) and not (tmp_path / "home").exists()
    assert keys.Keys(settings).check(given, "decide").per_s == 10


def test_a_bucket_fills_at_the_keys_rate_and_a_large_batch_is_paid_for_later() -> None:
    now = 0.0
    key, buckets = keys.Key("k", "h", ("decide",), 10.0), Buckets(lambda: now)
    for _ in range(10):
        buckets.take(key, 1)
    with pytest.raises(TooMany) as caught:
        buckets.take(key, 1)
    assert caught.value.wait_s == pytest.approx(0, abs=0.01)
    now = 0.1
    buckets.take(key, 31)
    now = 3.0
    with pytest.raises(TooMany) as caught:
        buckets.take(key, 1)
    assert caught.value.wait_s == pytest.approx(0.1, abs=0.01)
    now = 3.2
    buckets.take(key, 1)
    buckets.take(keys.Key("other", "i", ("decide",), 10.0), 1)


def test_an_idle_bucket_holds_a_seconds_worth_and_no_more() -> None:
    now = 0.0
    key, buckets = keys.Key("k", "h", ("decide",), 5.0), Buckets(lambda: now)
    buckets.take(key, 1)
    now = 1000.0
    for _ in range(5):
        buckets.take(key, 1)
    with pytest.raises(TooMany):
        buckets.take(key, 1)
