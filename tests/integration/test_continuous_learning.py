"""Simulated days are decided by a champion; its log becomes a table, and that a challenger that goes on from it."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from components.featurize.step import featurize
from components.gate.step import gate
from components.ingest.step import ingest
from components.register.step import register
from components.train.step import train
from components.validate.step import validate
from features.settings import Settings
from features.simulator.opportunities import SimulatedAuctions
from features.store import Online
from models import catalog
from models.bidding.auctions import Floats
from models.bidding.dqn.graph import layers
from models.bidding.fit import SavablePolicy
from models.bidding.model import BiddingModel
from models.bidding.observation import Observation
from models.bidding.policies.dqn import Dqn
from models.bundle import Bundle, open_bundle
from models.evaluation.gates import Verdict
from models.evaluation.policy_value import value_above_champion
from models.registry import Registry
from pipelines.loop import goes_on_from
from serving.decisions.case import Case
from serving.decisions.decide import decide
from serving.decisions.kinds.campaign import Review
from serving.decisions.log.entry import Entry, read
from serving.decisions.params import read as params_of
from serving.decisions.predict.active_models import ActiveModels
from serving.decisions.predict.features import Features
from serving.decisions.predict.predictor import BundlePredictor
from serving.decisions.records import Action, Counters, Segment, Spend, State, WindowedCounters
from serving.decisions.rules.bids import multiplier
from serving.experiments import challenge
from serving.experiments.simulation import advertisers, run
from serving.experiments.simulation.advertisers import FIRST_DAY, HOURS, Advertiser
from serving.experiments.simulation.records import folder
from serving.records import reading
from tests.integration import small_market
from tests.integration.small_market import PARAMS

DAYS, SEED = 3, 5
#: Learning for seconds.
SCHEDULE = {"rounds": 1, "episodes": 4, "steps": 20}
#: A day to test on, a day to tune on, and the rest to learn from.
SECTION = small_market.section(
    window={"horizon_days": 1, "step_days": 1, "min_history_days": 1}, auctions=40, **SCHEDULE
)


@dataclass(frozen=True)
class Learnt:
    """What came of the days: the log, its table, and the home with a champion."""

    settings: Settings
    root: Path
    advertisers: list[Advertiser]
    entries: list[Entry]
    auctions: pd.DataFrame
    hours: dict[tuple[int, int], SimulatedAuctions] = field(default_factory=dict)


@pytest.fixture(scope="module")
def learnt(registry_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Learnt]:
    root = tmp_path_factory.mktemp("learnt")
    settings = Settings(home=shutil.copytree(registry_home, root / "home"))
    with pytest.MonkeyPatch.context() as patch:
        small_market.shrink(patch, ctr=0.1)  # many clicks to find in the table
        small_market.champion(root, settings, "dqn", **SCHEDULE)
        run.simulate(3, DAYS, SEED, PARAMS, settings)
        entries = [read(written) for written in reading.records(folder(settings) / "log")]
        ingest([str(folder(settings))], root / "staged", settings)
        validate(root / "staged", root / "canonical")
        auctions = pd.read_parquet(root / "canonical" / "auctions.parquet")
        yield Learnt(settings, root, advertisers.drawn(list(small_market.CAMPAIGNS), 3, SEED), entries, auctions)


def _offered(learnt: Learnt, opportunity_id: str) -> tuple[SimulatedAuctions, int]:
    """The simulator's own auction: `auction-<campaign>-<hour>-<row>`."""
    place, hour, row = map(int, opportunity_id.split("-")[1:])
    if (place, hour) not in learnt.hours:
        learnt.hours[place, hour] = learnt.advertisers[place].simulator.hour(FIRST_DAY * HOURS + hour)
    return learnt.hours[place, hour], row


def test_the_table_tells_what_the_simulator_knows(learnt: Learnt) -> None:
    made = {one.decision.decision_id: one for one in learnt.entries if one.decision.action is Action.BID}
    table = learnt.auctions.set_index("decision_id")
    assert len(table) > 0.97 * len(made) and table.index.is_unique  # what came after the last news is not known yet
    offered = {name: _offered(learnt, made[name].opportunity.opportunity_id) for name in table.index}
    truth = pd.DataFrame(
        {
            name: {
                column: getattr(auction, column)[row]
                for column in ("market_price", "click", "conversion_value", "predicted_ctr", "predicted_value")
            }
            for name, (auction, row) in offered.items()
        }
    ).T
    bid = pd.Series({name: made[name].decision.amount for name in table.index})
    won = bid >= truth["market_price"]
    assert 0.1 < won.mean() < 0.9
    assert (table["won"] == won).all() and (table["bid"] == bid).all()
    assert table["market_price"][won].to_numpy() == pytest.approx(truth["market_price"][won].to_numpy(), abs=1e-6)
    assert (table["market_price"][~won] == bid[~won]).all() and (truth["market_price"] > bid)[~won].all()
    assert (table["click"] == truth["click"] * won).all() and table["click"].sum() > 0
    assert table["conversion_value"].to_numpy() == pytest.approx((truth["conversion_value"] * won).to_numpy())
    assert table["predicted_ctr"].to_numpy() == pytest.approx(truth["predicted_ctr"].to_numpy())
    assert set(table["arm"]) >= {"policy", "baseline"} and table["propensity"].between(0, 1).all()


@pytest.fixture(scope="module")
def challenger(learnt: Learnt) -> tuple[Bundle, Bundle]:
    """The champion, and what goes on from it."""
    registry, root = Registry(learnt.settings), learnt.root
    champion = registry.download("bidding", "1")
    featurize(root / "canonical", "bidding", SECTION, None, learnt.settings, root / "later", online=False)
    train(root / "later", "bidding", SECTION, root / "checkpoint", root / "challenger", ("1", champion))
    return open_bundle(champion, None), open_bundle(root / "challenger", None)


def test_the_challenger_goes_on_from_the_champions_network(challenger: tuple[Bundle, Bundle]) -> None:
    champion, later = challenger
    before, after = champion.model.policy, later.model.policy
    assert isinstance(before, Dqn) and isinstance(after, Dqn)
    moved = [
        np.abs(one - other).max() for one, other in zip(layers(before.network), layers(after.network), strict=True)
    ]
    assert 0 < max(moved) < 0.1  # twenty steps from where it stood, not from chance
    assert later.manifest.started_from == f"version 1 (`{champion.digest}`)"
    assert later.model.about.markets.keys() == champion.model.about.markets.keys()
    assert later.model.about.markets != champion.model.about.markets


def test_it_is_judged_beside_the_champion_and_becomes_challenger_leaving_it_untouched(
    learnt: Learnt, challenger: tuple[Bundle, Bundle]
) -> None:
    registry, (champion, later) = Registry(learnt.settings), challenger
    files = {file: file.read_bytes() for file in champion.folder.rglob("*") if file.is_file()}
    given = (learnt.root / "later", later.folder, "bidding", SECTION, [], learnt.settings)
    done = gate(*given, learnt.root / "judged")
    assert done.compared_with == "version 1" and done.champion is not None
    card = (learnt.root / "judged" / "card.md").read_text()
    assert "Trained incrementally from version 1" in card
    assert done.from_log.startswith("not applied: nothing is logged in ") and done.from_log in card
    # Days of so few auctions are not enough for every gate: what comes of passing is seen on a verdict that says so.
    made = register(later.folder, small_market.judged(later.folder, learnt.root / "accepted"), learnt.settings)
    assert (made.version, made.status) == ("2", "accepted")
    assert registry.challenger("bidding").version == "2" and registry.champion("bidding").version == "1"
    assert {file: file.read_bytes() for file in files} == files


def test_a_family_that_learns_anew_each_time_says_so(learnt: Learnt, tmp_path: Path) -> None:
    anew = replace(catalog.family("bidding"), name="bidding", update=None)
    with pytest.MonkeyPatch.context() as patch, pytest.raises(ValueError, match="bidding has no incremental training"):
        patch.setattr("models.catalog.family", lambda name: anew)
        start = ("1", Registry(learnt.settings).download("bidding", "1"))
        train(learnt.root / "later", "bidding", SECTION, tmp_path / "checkpoint", tmp_path / "out", start)


def test_a_loop_goes_on_from_the_champion_only_where_it_reads_what_that_decided(learnt: Learnt) -> None:
    log = str(folder(learnt.settings))
    assert goes_on_from("bidding", [log], learnt.settings) == "1"
    assert goes_on_from("bidding", ["auction_simulator"], learnt.settings) == ""
    assert goes_on_from("churn", [log], learnt.settings) == ""


def test_the_log_of_a_champion_is_a_gate(learnt: Learnt, challenger: tuple[Bundle, Bundle], tmp_path: Path) -> None:
    shutil.copytree(folder(learnt.settings), learnt.settings.home / "decisions")
    given = (learnt.root / "later", challenger[1].folder, "bidding", SECTION, [], learnt.settings)
    done = gate(*given, tmp_path / "judged")
    assert done.from_log == "applied to the decisions of version 1"
    (verdict,) = [one for one in done.gates if one["gate"] == "value_above_champion"]
    assert f"`value_above_champion`: {verdict['reason']}" in (tmp_path / "judged" / "card.md").read_text()
    assert done.passed <= verdict["passed"]


def judged(learnt: Learnt, champion: Bundle, times: float) -> Verdict:
    """The gate on a challenger that bids so many times as much as the champion."""
    model = champion.model
    louder = replace(champion, model=BiddingModel(model.about, Times(model.policy, times)))
    online = Online(learnt.settings)
    return challenge.judge(value_above_champion, folder(learnt.settings), "1", louder, champion, online, SEED)


@dataclass(frozen=True)
class Times:
    """A policy's bids times a factor."""

    policy: SavablePolicy
    times: float

    def bid(self, seen: Observation) -> Floats:
        return self.times * self.policy.bid(seen)

    def save(self, place: Path) -> None:
        self.policy.save(place)


@pytest.mark.parametrize(("times", "step"), [(1.0, 0), (1.05, 0), (1.22, 1), (0.8, -1)])
def test_what_the_log_says_of_other_bids_is_what_the_simulator_knows(
    learnt: Learnt, challenger: tuple[Bundle, Bundle], times: float, step: int
) -> None:
    verdict = judged(learnt, challenger[0], times)
    ours = [one for one in learnt.entries if one.opportunity.asked == "bid" and one.decision.arm == "policy"]
    params, _ = params_of(PARAMS)
    rounds = []
    for one in ours:
        offered, row = _offered(learnt, one.opportunity.opportunity_id)
        bid = one.predictions.answers.get("policy_bid") * multiplier(
            Case(one.opportunity, one.predictions, one.state, params, 0)
        )
        rounds.append((offered.market_price[row], offered.click[row], bid, one.decision.amount or 0.0))
    price, click, bid, amount = np.array(rounds).T
    rate = (click * (amount >= price)).sum() / (price * (amount >= price)).sum()
    stepped = bid * 1.25**step
    gain = ((click - rate * price) * ((stepped >= price) * 1.0 - (bid >= price))).mean()
    assert verdict.figures["low"] <= gain <= verdict.figures["high"]
    assert not verdict.passed  # so few rounds are no proof
    if step:
        assert 50 < verdict.figures["effective"] < 400 and "effective rounds of 400" in verdict.reason
    else:
        assert verdict.figures["gain"] == verdict.figures["high"] == 0


def test_a_challenger_is_asked_with_the_features_of_then(
    learnt: Learnt, challenger: tuple[Bundle, Bundle], tmp_path: Path
) -> None:
    """Whatever the online store holds today: here nothing."""
    ours = [one for one in learnt.entries if one.predictions.answers.get("policy_bid")]
    assert any("price_7d" in one.predictions.features for one in ours)
    champion, later = challenger
    nobody = Online(Settings(home=tmp_path))
    assert challenge.Challenger(champion, champion, nobody).ratios(ours) == pytest.approx(1.0, abs=1e-6)
    assert np.abs(challenge.Challenger(later, champion, nobody).ratios(ours) - 1).max() > 1e-3


@pytest.mark.parametrize(("chance", "action"), [(0.9, Action.ADD_KEYWORD), (0.0, Action.HOLD)])
def test_a_keyword_that_is_worth_more_than_it_costs_is_added(
    learnt: Learnt, challenger: tuple[Bundle, Bundle], chance: float, action: Action
) -> None:
    """By the answer of the champion, which a look at a campaign asks for too."""
    asked = {"keyword": "boots", "features": {"predicted_value": chance}}
    look = Review("look", FIRST_DAY * 86_400.0 + 3600, "acme", small_market.CAMPAIGNS[0], **asked)
    counted = Counters(bids=900, impressions=500, clicks=5, cost=0.5)
    spend, idle = Spend(daily_limit=100.0), {"keyword": {"boots": Segment(paused=True)}}
    state = State(campaign=spend, target_cpc=0.1, window=WindowedCounters(counted, counted), segments=idle)
    active = ActiveModels({"bidding": BundlePredictor(challenger[0], "1")}, {})
    ((predictors, _),) = active.parts([look], SEED)
    (said,) = predictors.predict([look], [state], Features(Online(learnt.settings)))
    made = decide(look, said, state, params_of(PARAMS)[0], SEED)
    assert (made.action, made.versions) == (action, {"bidding": "1"})
    assert said.answers["predicted_ctr"] > 0.01 or action is Action.HOLD
    without = decide(look, replace(said, answers={}, faults=("bidding 1 failed",)), state, params_of(PARAMS)[0], SEED)
    assert without.action is Action.HOLD and without.arm == "policy"


def test_bids_that_were_never_tried_are_not_vouched_for(
    learnt: Learnt, challenger: tuple[Bundle, Bundle], tmp_path: Path
) -> None:
    assert "its actions were not all tried" in judged(learnt, challenger[0], 3.0).reason
    online = Online(learnt.settings)
    for place, version, said in ((tmp_path, "1", "nothing is logged"), (folder(learnt.settings), "7", "version 7")):
        with pytest.raises(LookupError, match=said):
            challenge.judge(value_above_champion, place, version, challenger[0], challenger[0], online, SEED)
