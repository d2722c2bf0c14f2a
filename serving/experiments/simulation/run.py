"""`adloop simulate`: runs days of auctions through a separate endpoint, and bidding rules on the same auctions."""

import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

from filelock import FileLock

from features.records import FEEDBACK
from features.settings import Settings
from features.simulator.creatives import CreativeMarket
from features.simulator.published import PUBLISHED
from features.sources import creative_market
from models.bidding.model import BiddingModel
from models.bundle import Bundle, open_bundle
from models.registry import Registry
from serving.access import keys
from serving.decisions.kinds import creative
from serving.decisions.kinds.bid import FAMILY
from serving.decisions.params import DecisionParams, read
from serving.decisions.records import MICRO, Opportunity
from serving.decisions.state import store
from serving.decisions.state.configured import STATE
from serving.decisions.state.sqlite import SqliteStore
from serving.experiments.simulation import advertisers as market
from serving.experiments.simulation import outcome, placements
from serving.experiments.simulation.account import BidderAccount
from serving.experiments.simulation.advertisers import HOURS, Advertiser
from serving.experiments.simulation.client import Client, UnexpectedResponse
from serving.experiments.simulation.records import CONSTANT, ENGINE, LINEAR, CreativeDay, Simulation, folder, write
from serving.experiments.simulation.rules import play
from serving.experiments.simulation.traffic import SimulatedTraffic
from serving.rollout.plan import CannotServe
from serving.rollout.processes import DecisionServer, free_port

#: Seconds that the endpoint may take to count feedback.
SETTLES_S = 20.0
_DAY_S, _WEEK_DAYS, _MONDAY = 86_400, 7, 4  # the first day of Unix time was a Thursday
#: Longest conversion delay: events dated in the future are not accepted.
_LATE_DAYS = 91
#: Called with the finished hours and their total.
Progress = Callable[[int, int], None]


def simulate(
    count: int, days: int, seed: int, params_file: Path, settings: Settings, progress: Progress = lambda done, of: None
) -> Simulation:
    """Simulate `days` days of `count` campaigns through an endpoint that is started for it.

    Replaces the previous simulation. Raises `LookupError` where the bidding champion has learnt no simulated campaign,
    `ValueError` for no campaigns or days, `client.UnexpectedResponse` where the endpoint fails.
    """
    if days < 1:
        raise ValueError(f"days: expected at least 1, got {days}")
    began = time.monotonic()
    version, champion = _champion(settings)
    params, _ = read(params_file)
    drawn = market.drawn(_learnt(champion), count, seed)
    limits = market.limits(drawn)
    place = folder(settings)
    place.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(place.with_name("simulation.lock")):
        shutil.rmtree(place, ignore_errors=True)
        state = _set_up(place, drawn, limits, params)
        goal = str(champion.manifest.params["goal"])
        with endpoint(place, params_file, settings) as client:
            account = BidderAccount(ENGINE, drawn, days)
            counted = partial(_counted, place / FEEDBACK)
            traffic = SimulatedTraffic(drawn, account, client, state, params, start(days), goal, counted)
            for hour in range(days * HOURS):
                traffic.hour(hour)
                progress(hour + 1, days * HOURS)
            traffic.finish()
            creatives = _placements(client, traffic.began, seed, settings)
            counted()
            settled = _settled(state, traffic)
        rules = [play(rule, drawn, limits, days) for rule in (CONSTANT, LINEAR)]
        seconds = time.monotonic() - began
        result = outcome.of(traffic, rules, limits, seed, days, {FAMILY: version}, settled, seconds, creatives)
        write(result, place)
    return result


def _placements(client: Client, began: float, seed: int, settings: Settings) -> CreativeDay | None:
    """The first day's placements of the simulated creatives; None where no creative model is released."""
    champion = Registry(settings).champion(creative.FAMILY)
    if champion is None:
        return None
    return placements.play(client, CreativeMarket(creative_market.SEED), began, seed, champion.version)


def start(days: int) -> float:
    """A Monday in Unix seconds, so early that all days and their conversions are in the past."""
    last = int(time.time() // _DAY_S) - days - _LATE_DAYS
    return float((last - (last - _MONDAY) % _WEEK_DAYS) * _DAY_S)


def _champion(settings: Settings) -> tuple[str, Bundle]:
    registry = Registry(settings)
    champion = registry.champion(FAMILY)
    if champion is None:
        raise LookupError("bidding has no champion to simulate: adloop run --family bidding")
    return champion.version, open_bundle(registry.download(FAMILY, champion.version), None)


def _learnt(champion: Bundle) -> list[str]:
    """The published campaigns whose market the champion has learnt."""
    model = champion.model
    known = sorted(PUBLISHED.keys() & model.about.markets.keys()) if isinstance(model, BiddingModel) else []
    if not known:
        raise LookupError("the bidding champion has learnt none of the simulated campaigns: adloop run")
    return known


def _set_up(place: Path, drawn: Sequence[Advertiser], limits: dict[str, float], params: DecisionParams) -> SqliteStore:
    """Configure the campaigns and accounts before the first decision."""
    state = SqliteStore(place / STATE, params)
    for account, limit in limits.items():
        state.limit(account, limit, None)
    for one in drawn:
        state.configure(one.account_id, one.campaign_id, store.CampaignSettings(one.budget, target_cpc=one.target_cpc))
    return state


@contextmanager
def endpoint(place: Path, params_file: Path, settings: Settings) -> Iterator[Client]:
    """A client of a new endpoint with the registry's champions and its own state, stopped at the end."""
    name = f"simulation-{time.time_ns()}"
    key = keys.make(settings, name, ("decide", "feedback"), 1e9)
    server = DecisionServer(params_file, free_port(), place / "endpoint.log", settings, place)
    client = Client(f"http://127.0.0.1:{server.port}", key)
    try:
        try:
            server.wait_ready()
        except CannotServe as cannot:
            raise UnexpectedResponse(f"the decision endpoint does not start: {cannot.reason}") from cannot
        yield client
    finally:
        client.close()
        server.stop(patience=60)
        keys.revoke(settings, name)


def _settled(state: SqliteStore, traffic: SimulatedTraffic) -> bool:
    """Whether the engine's books agree with the simulator's once all events are counted."""
    paid: list[int] = traffic.account.paid.sum(axis=1).tolist()
    opportunities = [Opportunity("", traffic.began, one.account_id, one.campaign_id) for one in traffic.advertisers]
    return [round(one.campaign.total * MICRO) for one in state.load(opportunities, "")] == paid


def _counted(feedback: Path) -> None:
    """Wait until all events are counted. Raises `UnexpectedResponse` after a timeout."""
    until = time.monotonic() + SETTLES_S
    with closing(sqlite3.connect(f"{feedback.resolve().as_uri()}?mode=ro", uri=True, timeout=30)) as db:
        while db.execute("SELECT 1 FROM event WHERE counted = 0 LIMIT 1").fetchone():
            if time.monotonic() > until:
                raise UnexpectedResponse(f"the endpoint has not counted feedback after {SETTLES_S:.0f} s")
            time.sleep(0.005)
