"""Every platform: its integration against its fake, through the ledger. A new platform writes none of these."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from features.tables import SPECS
from serving.integrations import catalog
from serving.integrations.apply import apply, dry_run
from serving.integrations.change import Change
from serving.integrations.credentials import NotConnected
from serving.integrations.ledger import WriteLedger
from serving.integrations.outside import look
from serving.integrations.platform import LoginExpired, Platform, Unanswered, VersionRetired, capability, settles_s
from serving.integrations.sync import sync, tables
from serving.integrations.undo import CannotUndo, undo
from tests.fakes import catalog as fakes
from tests.fakes.clock import QuickClock
from tests.fakes.fake import Running, running
from tests.fakes.faults import ScriptedFault


class Killed(BaseException):
    """Stands for a kill: nothing catches it, and what is not on the disk is gone."""


@pytest.fixture(params=fakes.NAMES)
def fake(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    with running(fakes.fake(request.param)) as found:
        found.connect(monkeypatch.setenv)
        yield found


@pytest.fixture
def platform(fake: Running) -> Iterator[Platform]:
    opened = catalog.platform(fake.fake.name)
    yield opened
    opened.close()


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[WriteLedger]:
    opened = WriteLedger(tmp_path / "platforms" / "ledger.db")
    yield opened
    opened.close()


def markers(fake: Running, changes: list[Change]) -> list[str]:
    """How often each of these changes is at the platform, as sorted markers."""
    wanted = {change.marker for change in changes}
    return sorted(marker for marker in fake.state.markers() if marker in wanted)


def once(changes: list[Change]) -> list[str]:
    return sorted(change.marker for change in changes)


def test_every_platform_has_a_fake() -> None:
    assert set(fakes.NAMES) == set(catalog.NAMES)


def test_credentials_are_checked_and_permissions_told(platform: Platform) -> None:
    access = platform.connect()
    assert access.account == platform.account
    assert access.may and not access.missing


def test_missing_credentials_are_named(fake: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in fake.environment:
        monkeypatch.delenv(name)
    with pytest.raises(NotConnected, match=f"ADLOOP_{fake.fake.name.upper()}_"):
        catalog.platform(fake.fake.name)


def test_secrets_are_read_from_files(fake: Running, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in fake.environment.items():
        monkeypatch.delenv(name)
        (tmp_path / name.lower()).write_text(value)
    monkeypatch.setenv("ADLOOP_SECRETS", str(tmp_path))
    opened = catalog.platform(fake.fake.name)
    assert opened.connect().account == opened.account
    opened.close()


def test_changes_are_written_once_and_read_back(fake: Running, platform: Platform, ledger: WriteLedger) -> None:
    changes = fake.fake.creations(5)
    ledger.intend(changes, 0.0)
    applied = apply(platform, ledger, clock=QuickClock())
    assert (sorted(applied.confirmed), applied.refused) == (sorted(change.change_id for change in changes), {})
    assert markers(fake, changes) == once(changes)
    calls = len(fake.script.calls)
    assert apply(platform, ledger, clock=QuickClock()).confirmed == []
    assert ledger.intend(changes, 0.0) == []
    assert len(fake.script.calls) == calls


@pytest.mark.parametrize("lost", ["before", "after"])
def test_a_lost_answer_doubles_and_loses_nothing(
    fake: Running, platform: Platform, ledger: WriteLedger, lost: str
) -> None:
    changes = fake.fake.creations(3)
    ledger.intend(changes, 0.0)
    _lose_the_writes(fake, lost)
    apply(platform, ledger, clock=QuickClock())
    assert markers(fake, changes) == once(changes)
    assert {ledger.entry(change.change_id).status for change in changes} == {"confirmed"}


def _lose_the_writes(fake: Running, lost: str, times: int = 1) -> None:
    fake.script.add(ScriptedFault(fake.fake.throttled.call, times=times, lost=lost))  # type: ignore[arg-type]


def test_a_kill_at_any_point_doubles_and_loses_nothing(
    fake: Running, platform: Platform, ledger: WriteLedger, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Killed before and after each call and each write of the ledger, one point a run, until a run comes through."""
    changes, left, point = fake.fake.creations(2), [0], 0

    def killing(method: Callable[..., object]) -> Callable[..., object]:
        def run(*args: object, **named: object) -> object:
            _tick(left)
            done = method(*args, **named)
            _tick(left)
            return done

        return run

    for name in ("send", "find", "objects"):
        monkeypatch.setattr(platform, name, killing(getattr(platform, name)))
    monkeypatch.setattr(WriteLedger, "put", killing(WriteLedger.put))
    while True:
        point += 1
        fresh = [replace(change, change_id=f"{point}-{change.change_id}") for change in changes]
        opened = WriteLedger(tmp_path / f"{point}.db")
        opened.intend(fresh, 0.0)
        left[0] = point
        killed = _killed(platform, opened)
        left[0] = -1
        opened = WriteLedger(tmp_path / f"{point}.db")
        apply(platform, opened, clock=QuickClock(now=1_790_001_000.0))
        assert markers(fake, fresh) == once(fresh)
        assert {opened.entry(change.change_id).status for change in fresh} == {"confirmed"}
        if not killed:
            break
    assert point > 8


def _tick(left: list[int]) -> None:
    left[0] -= 1
    if left[0] == 0:
        raise Killed


def _killed(platform: Platform, ledger: WriteLedger) -> bool:
    try:
        apply(platform, ledger, clock=QuickClock())
    except Killed:
        return True
    finally:
        ledger.close()
    return False


def test_a_throttle_is_waited_for_without_a_call(fake: Running, platform: Platform, ledger: WriteLedger) -> None:
    changes, clock = fake.fake.creations(1), QuickClock()
    ledger.intend(changes, 0.0)
    fake.script.add(replace(fake.fake.throttled, times=1))
    called = list[int]()
    wait = clock.sleep
    clock.sleep = lambda seconds: (called.append(len(fake.script.calls)), wait(seconds))[1]  # type: ignore[method-assign]
    apply(platform, ledger, clock=clock)
    settles = settles_s(platform, changes[0]) if capability(platform, changes[0]).reads else 0.0
    assert sum(clock.slept) == pytest.approx(fake.fake.waits_s + settles, rel=0.05, abs=1.0)
    assert ledger.waits_until(platform.name, platform.account)[0] == pytest.approx(
        1_790_000_000.0 + fake.fake.waits_s, abs=1.0
    )
    assert markers(fake, changes) == once(changes)


def test_an_expired_login_is_told_and_drops_nothing(fake: Running, platform: Platform, ledger: WriteLedger) -> None:
    changes = fake.fake.creations(2)
    ledger.intend(changes, 0.0)
    fake.script.add(replace(fake.fake.expired, times=1))
    with pytest.raises(LoginExpired, match="ADLOOP_"):
        apply(platform, ledger, clock=QuickClock())
    assert {ledger.entry(change.change_id).status for change in changes} <= {"intended", "confirmed"}
    apply(platform, ledger, clock=QuickClock())
    assert markers(fake, changes) == once(changes)


def test_a_retired_version_names_what_to_set(fake: Running, platform: Platform, ledger: WriteLedger) -> None:
    if fake.fake.retired is None:
        pytest.skip("the platform has no versions")
    ledger.intend(fake.fake.creations(1), 0.0)
    fake.script.add(replace(fake.fake.retired, times=1))
    with pytest.raises(VersionRetired, match=r"ADLOOP_.*_VERSION"):
        apply(platform, ledger, clock=QuickClock())


def test_a_refusal_names_its_field_and_takes_no_others_along(
    fake: Running, platform: Platform, ledger: WriteLedger
) -> None:
    wrong, field_name = fake.fake.refusal
    changes = fake.fake.creations(2)
    ledger.intend([changes[0], wrong, changes[1]], 0.0)
    applied = apply(platform, ledger, clock=QuickClock())
    assert list(applied.refused) == [wrong.change_id]
    assert field_name in applied.refused[wrong.change_id].field
    assert markers(fake, changes) == once(changes)
    calls = len(fake.script.calls)
    apply(platform, ledger, clock=QuickClock())
    assert len(fake.script.calls) == calls, "a refused change is not sent again"


def test_a_silent_platform_is_given_up_and_nothing_lost(fake: Running, platform: Platform, ledger: WriteLedger) -> None:
    changes = fake.fake.creations(1)
    ledger.intend(changes, 0.0)
    fake.script.add(ScriptedFault("*", times=100, lost="before"))
    with pytest.raises(Unanswered):
        apply(platform, ledger, clock=QuickClock())
    fake.script.clear()
    apply(platform, ledger, clock=QuickClock())
    assert markers(fake, changes) == once(changes)


def test_no_call_leaves_a_closed_gate(fake: Running, platform: Platform, ledger: WriteLedger) -> None:
    changes = fake.fake.creations(2)
    ledger.intend(changes, 0.0)
    applied = apply(platform, ledger, gate=lambda _: "stopped: tests", clock=QuickClock())
    assert applied.waiting == {change.change_id: "stopped: tests" for change in changes}
    assert fake.script.calls == []


def test_a_dry_run_writes_nothing(fake: Running, platform: Platform, ledger: WriteLedger) -> None:
    changes = fake.fake.creations(2)
    wrong, field_name = fake.fake.refusal
    ledger.intend([*changes, wrong], 0.0)
    before = fake.state.objects()
    said = {outcome.change_id: outcome for outcome in dry_run(platform, ledger)}
    assert [said[change.change_id].fault for change in changes] == [None, None]
    assert field_name in said[wrong.change_id].fault.field  # type: ignore[union-attr]
    assert fake.state.objects() == before


def test_undo_restores_exactly(fake: Running, platform: Platform, ledger: WriteLedger) -> None:
    change = _updated(fake, platform, ledger, "up", 1)
    entry = ledger.entry("up")
    assert entry.before and entry.before != change.fields
    assert undo(platform, ledger, "up", "ann").undoes == "up"
    undo(platform, ledger, "up", "ann")
    apply(platform, ledger, clock=QuickClock())
    assert ledger.entry("undo:up").status == "confirmed"
    [shown] = platform.objects(change.object, [change.target])
    assert {name: shown.fields[name] for name in entry.before} == entry.before


def test_undo_removes_what_was_created_or_refuses(fake: Running, platform: Platform, ledger: WriteLedger) -> None:
    [change] = fake.fake.creations(1)
    ledger.intend([change], 0.0)
    apply(platform, ledger, clock=QuickClock())
    if capability(platform, change).undo == "never":
        with pytest.raises(CannotUndo, match="cannot be taken back"):
            undo(platform, ledger, change.change_id, "ann")
        return
    undo(platform, ledger, change.change_id, "ann")
    assert apply(platform, ledger, clock=QuickClock()).confirmed == [f"undo:{change.change_id}"]


def test_an_edit_by_a_person_is_seen_and_left_alone(fake: Running, platform: Platform, ledger: WriteLedger) -> None:
    change = _updated(fake, platform, ledger, "up", 1)
    other = fake.fake.update("other", 7)
    assert other is not None
    fake.state.edit(change.object, change.target, other.fields, "bob@example.org")
    ledger.intend([fake.fake.update("later", 2)], 0.0)  # type: ignore[list-item]
    applied = apply(platform, ledger, clock=QuickClock())
    assert list(applied.held) == ["later"]
    with pytest.raises(CannotUndo, match="changed"):
        undo(platform, ledger, "up", "ann")
    [shown] = platform.objects(change.object, [change.target])
    assert {name: shown.fields[name] for name in other.fields} == dict(other.fields)
    assert any(line.what == "edited outside" for line in ledger.timeline())
    ledger.release(platform.name, platform.account, change.object, change.target, "ann", "talked to bob", 0.0)
    assert ledger.entry("later").status == "cancelled"
    ledger.intend([fake.fake.update("after", 3)], 0.0)  # type: ignore[list-item]
    assert apply(platform, ledger, clock=QuickClock()).confirmed == ["after"]


def test_a_sync_sees_edits_by_people(fake: Running, platform: Platform, ledger: WriteLedger) -> None:
    change = _updated(fake, platform, ledger, "up", 1)
    assert look(ledger, platform, 1.0) == []
    other = fake.fake.update("other", 7)
    assert other is not None
    fake.state.edit(change.object, change.target, other.fields, "bob@example.org")
    assert [one.seen.object_id for one in look(ledger, platform, 2.0)] == [change.target]
    assert look(ledger, platform, 3.0) == [], "told once"


def _updated(fake: Running, platform: Platform, ledger: WriteLedger, change_id: str, value: int) -> Change:
    change = fake.fake.update(change_id, value)
    if change is None:
        pytest.skip("nothing of the platform can be updated")
    ledger.intend([change], 0.0)
    assert apply(platform, ledger, clock=QuickClock()).confirmed == [change_id]
    return change


def test_tables_are_read_by_day_and_go_on_where_they_stopped(
    fake: Running, platform: Platform, ledger: WriteLedger, tmp_path: Path
) -> None:
    end = datetime.now(UTC).date() - timedelta(days=40)
    start = end - timedelta(days=3)
    read = sync(platform, ledger, tmp_path, start, end)
    assert read.days == 3
    if read.rows:
        joined = tables(tmp_path, tmp_path / "joined")
        assert set(joined.names) == set(read.rows)
        for table in joined.names:
            required = {name for name, column in SPECS[table].items() if column.required}
            assert required <= set(joined.columns(table))
    assert sync(platform, ledger, tmp_path, start, end + timedelta(days=1)).days == 1


def test_secrets_stay_out_of_state_and_errors(fake: Running, platform: Platform, ledger: WriteLedger) -> None:
    secrets = [value for value in fake.environment.values() if "s3cr3t" in value]
    assert secrets
    ledger.intend(fake.fake.creations(2), 0.0)
    fake.script.add(replace(fake.fake.expired, times=1))
    with pytest.raises(LoginExpired) as told:
        apply(platform, ledger, clock=QuickClock())
    apply(platform, ledger, clock=QuickClock())
    ledger.close()
    kept = b"".join(file.read_bytes() for file in ledger.path.parent.rglob("*") if file.is_file())
    assert not any(secret.encode() in kept or secret in str(told.value) for secret in secrets)


def test_every_call_says_who_calls(fake: Running, platform: Platform) -> None:
    platform.connect()
    agents = [call.headers.get("user-agent", "") for call in fake.script.calls]
    assert agents and all("adloop/" in agent for agent in agents)
