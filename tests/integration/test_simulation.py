"""A simulated day through a real endpoint: it replays, no limit is spent above, and what is told twice counts once."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from features.settings import Settings
from models import bundle
from models.registry import Registry
from pipelines import simulated_platforms
from pipelines.cli import main
from serving.access import keys
from serving.campaigns import decided
from serving.campaigns.safety.guard import guarded
from serving.decisions.kinds.campaign import Review
from serving.decisions.log.entry import Entry, read
from serving.decisions.params import read as params_of
from serving.decisions.predict.feature_matrix import Columns, FeatureMatrix
from serving.decisions.predict.predictor import BundlePredictor
from serving.decisions.records import Action
from serving.decisions.state.sqlite import SqliteStore
from serving.experiments.replay import replay
from serving.experiments.simulation import run
from serving.experiments.simulation.records import CONSTANT, ENGINE, LINEAR, Simulation, folder
from serving.experiments.simulation.records import read as last
from serving.integrations.change import Change
from serving.integrations.ledger import WriteLedger
from serving.records import reading
from serving.rollout.processes import DecisionServer, free_port
from tests.fakes import catalog as fakes
from tests.fakes.fake import running
from tests.integration import small_market
from tests.integration.small_market import DAILY, PARAMS
from tests.toyland import local

DAYS, SEED = 2, 5


@dataclass(frozen=True)
class Played:
    """A simulation that was run, and its log."""

    settings: Settings
    done: Simulation
    entries: list[Entry]

    @property
    def place(self) -> Path:
        return folder(self.settings)


@pytest.fixture(scope="module")
def settings(registry_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A home with a champion of bidding that paces three campaigns, and their features online."""
    root = tmp_path_factory.mktemp("simulated")
    found = Settings(home=shutil.copytree(registry_home, root / "home"))
    with pytest.MonkeyPatch.context() as patch:
        small_market.shrink(patch)
        small_market.champion(root, found, "pacing")
        yield found


@pytest.fixture(scope="module")
def played(settings: Settings) -> Played:
    done = run.simulate(3, DAYS, SEED, PARAMS, settings)
    return Played(settings, done, [read(written) for written in reading.records(folder(settings) / "log")])


def answers_of(opened: bundle.Bundle, rows: pd.DataFrame) -> dict[str, Any]:
    """What a bidder says of these rows, where a rule bids .8."""
    one = BundlePredictor(opened, "1")
    columns = Columns(one.columns.items())
    matrix = FeatureMatrix(columns, len(rows))
    for name in columns.floats.keys() & set(rows):
        matrix.know(name, rows[name].to_numpy(dtype=float))
    matrix.know("current_bid", np.full(len(rows), 0.8))
    for name in matrix.texts:
        matrix.texts[name] = rows[name].tolist()
    return dict(one.bound(columns, one.says)(matrix))


def test_a_bidder_asked_by_arrays_answers_as_its_model_does_by_frames(settings: Settings) -> None:
    opened = bundle.open_bundle(Registry(settings).download("bidding", "1"), None)
    rows = opened.reference().head(50)
    expected, answers = opened.model.predict(rows), answers_of(opened, rows)
    assert answers["policy_bid"].tolist() == expected["bid"].tolist()
    assert answers["predicted_ctr"].tolist() == expected["expected_value"].tolist()


def test_where_nobody_knows_how_many_auctions_are_left_it_bids_by_the_rule(settings: Settings) -> None:
    opened = bundle.open_bundle(Registry(settings).download("bidding", "1"), None)
    rows = opened.reference().head(50)
    rows = rows.assign(campaign_id=np.where(np.arange(len(rows)) % 2, "never seen", rows["campaign_id"]))
    known, unknown = answers_of(opened, rows), answers_of(opened, rows.drop(columns="remaining"))
    assert (known["policy_bid"] != 0.8).all()
    assert (unknown["policy_bid"] == 0.8).all() and (unknown["baseline_bid"] == 0.8).all()


def test_the_days_replay_bit_for_bit(played: Played) -> None:
    again = replay(played.place / "log")
    asked = played.done.alone.decisions + played.done.batched.decisions
    assert again.count == asked == len(played.entries) > DAILY * DAYS
    assert (again.differing, again.faults) == (0, ())


def test_the_champion_bids_by_campaign_and_by_what_is_left(played: Played) -> None:
    bids = [one for one in played.entries if one.opportunity.asked == "bid"]
    assert all(one.predictions.versions == {"bidding": "1"} and not one.predictions.faults for one in bids)
    assert all(0 <= one.predictions.answers.get("policy_bid") <= one.state.campaign.remaining for one in bids)
    for one in bids:
        said = one.predictions
        assert said.answers.get("baseline_bid") == pytest.approx(
            one.state.target_cpc * one.opportunity.features["predicted_ctr"]
        )
        assert said.answers["policy_propensity"] == 1 and 0 < said.answers["predicted_ctr"] < 1
    policy = [one for one in bids if one.decision.arm == "policy"]
    assert len(policy) > 0.8 * len(bids)
    assert {one.decision.action for one in policy} >= {Action.BID}


def test_no_limit_is_spent_above_by_the_simulators_own_account(played: Played) -> None:
    done = played.done
    assert done.overspent == ()
    assert done.settled
    limits: dict[str, float] = {}
    for day in range(DAYS):
        of_account: dict[str, float] = {}
        for place, terms in enumerate(done.campaigns):
            spent = _sum(done, "spend", place, day)
            assert spent <= terms.budget + 1e-9
            of_account[terms.account_id] = of_account.get(terms.account_id, 0) + spent
            limits[terms.account_id] = terms.account_limit
        assert all(spent <= limits[account] + 1e-9 for account, spent in of_account.items())
    assert done.spend_of_budget[ENGINE] > 0.75


def _sum(done: Simulation, column: str, place: int, day: int, bidder: str = ENGINE) -> float:
    hours = [one for one in done.hours if (one.bidder, one.place, one.hour // 24) == (bidder, place, day)]
    return sum(getattr(one, column) for one in hours)


def test_the_rules_beside_it_play_the_same_auctions_within_the_same_budgets(played: Played) -> None:
    done = played.done
    for rule in (CONSTANT, LINEAR):
        for place, terms in enumerate(done.campaigns):
            for day in range(DAYS):
                assert _sum(done, "auctions", place, day, rule) == _sum(done, "auctions", place, day)
                assert 0 < _sum(done, "spend", place, day, rule) <= terms.budget
        times = done.against[rule]
        assert times.low <= times.value <= times.high
        expected = done.worth_per_spend[ENGINE].value / done.worth_per_spend[rule].value
        assert times.value == pytest.approx(expected)
    assert done.against[CONSTANT].value > 1


def test_the_record_comes_back_equal(played: Played) -> None:
    assert last(played.settings) == played.done


def test_conversions_a_week_late_and_doubled_count_once(played: Played) -> None:
    """Told to the endpoint started again on what the simulation left: it still knows the decisions, and the events."""
    params, _ = params_of(PARAMS)
    store = SqliteStore(played.place / run.STATE, params)
    made = next(one.decision for one in played.entries if one.decision.action is Action.BID)
    event = {"account_id": made.account_id, "decision_id": made.decision_id, "kind": "conversion", "value": 50.0}
    late = [{**event, "event_id": "late", "occurred_at": made.decided_at + 7 * 86_400}] * 2
    before = _converted(store, made.account_id, made.campaign_id, made.decided_at)
    key = keys.make(played.settings, "late", ("feedback",), 1e6)
    server = DecisionServer(PARAMS, free_port(), played.place / "again.log", played.settings, played.place)
    try:
        server.wait_ready()
        told = [
            local.post(
                f"http://127.0.0.1:{server.port}/v1/feedback",
                json={"events": late},
                headers={"authorization": f"Bearer {key}"},
                timeout=30,
            ).json()
            for _ in range(2)
        ]
    finally:
        server.stop()
    assert [(one["joined"], one["again"], one["ahead"]) for one in told] == [(1, 1, 0), (0, 2, 0)]
    count, value = _converted(store, made.account_id, made.campaign_id, made.decided_at)
    assert (count - before[0], value - before[1]) == (1, pytest.approx(50))


def _converted(store: SqliteStore, account: str, campaign: str, at: float) -> tuple[int, float]:
    (state,) = store.load([Review("look", at, account, campaign)], "")
    parts = (state.window.recent, state.window.past)
    return sum(one.conversions for one in parts), sum(one.conversion_value for one in parts)


def test_explain_tells_the_reason_of_a_simulated_decision(played: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    made = next(one.decision for one in played.entries if one.decision.guardrails)
    monkeypatch.setenv("ADLOOP_HOME", str(played.settings.home))
    said = CliRunner().invoke(main, ["explain", made.decision_id])
    assert said.exit_code == 0
    assert made.reason in said.output and made.guardrails[0].guardrail in said.output


def test_without_a_champion_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(LookupError, match="adloop run --family bidding"):
        run.simulate(1, 1, SEED, PARAMS, Settings(home=tmp_path))


def test_the_day_ends_at_the_platforms_and_is_read_back(played: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    """Launched and decided changes come to both stand-ins once each, and a second look finds them as written."""
    with running(fakes.fake("meta")) as meta, running(fakes.fake("google_ads")) as google:
        for name, value in {**meta.environment, **google.environment}.items():
            monkeypatch.setenv(name, value)
        settings = played.settings.model_copy(update={"stand_ins": "meta,google_ads"})
        days = {day.platform: day for day in simulated_platforms.apply_day(settings)}
        assert simulated_platforms.applied(settings) == list(days.values())
    assert set(days) == {"meta", "google_ads"}
    assert all(
        day.decided > 0 and day.launched > day.refused == day.held == day.differing == 0 for day in days.values()
    )
    assert all(reason for day in days.values() for *_, reason in day.shown)
    assert len(meta.state.markers()) == len(set(meta.state.markers()))


def test_without_stand_ins_nothing_leaves(played: Played) -> None:
    assert simulated_platforms.apply_day(played.settings) == []


def test_logged_reviews_are_carried_out_once_where_their_campaign_runs(played: Played, tmp_path: Path) -> None:
    store = SqliteStore(played.place / "state.db", params_of(PARAMS)[0])
    known = replace(guarded(played.settings, PARAMS), ledger=WriteLedger(tmp_path / "ledger.db"), stops=store)
    assert decided.carry_out(known, played.place, 0.0) == []
    changing = decided.reviews(played.place)
    (campaign,) = {one.campaign_id for one in changing[:1]}
    group = Change("g", "meta", "1", "ad_group", "create", {"bid": 2.0}, "launch", "ann", campaign=campaign)
    known.ledger.intend([group], 0.0)
    known.ledger.put(replace(known.ledger.entry("g"), status="confirmed", object_id="7"), 0.0)
    new = decided.carry_out(known, played.place, 0.0)
    assert new and {known.ledger.entry(one).change.target for one in new} == {"7"}
    assert decided.carry_out(known, played.place, 0.0) == []
