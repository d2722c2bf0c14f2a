"""The key of the machine's owner: made once, kept to its owner, made anew where it is out of force."""

import os
import stat
from pathlib import Path

import pytest

from features.settings import Settings
from serving.access import keys, own


def test_it_is_made_once_for_everything_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    before = os.umask(0)
    try:
        made = own.key(settings)
    finally:
        os.umask(before)
    assert own.key(settings) == made == own.path(settings).read_text().strip()
    assert stat.S_IMODE(own.path(settings).stat().st_mode) == 0o600
    assert stat.S_IMODE(own.path(settings).parent.stat().st_mode) == 0o700
    for scope in keys.SCOPES:
        keys.Keys(settings).check(made, scope).need([None], ["churn"])


def test_one_that_was_revoked_or_lost_is_made_anew(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    first = own.key(settings)
    keys.revoke(settings, own.NAME)
    second = own.key(settings)
    assert second != first
    own.path(settings).write_text("not a key")
    third = own.key(settings)
    assert third not in (first, second) and keys.Keys(settings).scopes(third) == set(keys.SCOPES)


def test_one_from_before_a_scope_was_there_is_made_anew(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    old = keys.make(settings, own.NAME, ["predict", "decide"], 1e9)
    own.path(settings).write_text(old)
    made = own.key(settings)
    assert made != old and keys.Keys(settings).scopes(made) == set(keys.SCOPES)


def test_a_key_may_be_given_and_is_then_kept_nowhere(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", api_key="adloop_given")
    assert own.header(settings) == {"authorization": "Bearer adloop_given"}
    assert not settings.home.exists() and "adloop_given" not in repr(settings)


def test_where_the_hashes_cannot_be_written_it_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    settings = Settings(home=tmp_path / "home", api_keys=tmp_path / "file" / "api.json")
    with pytest.raises(LookupError, match="ADLOOP_API_KEY"):
        own.key(settings)
