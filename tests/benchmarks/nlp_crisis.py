"""Alarms of social listening: false ones in quiet months, and how many posts of a burst come before its alarm.

Months are simulated: hourly rates with a weekly rhythm (quiet nights, a rise on Monday morning, quiet weekends), five
negative voices an hour on average, and posts that are copied. Each stream is learnt for eight weeks, then watched.
Beside it the usual rule: posts of an hour three standard deviations above those of the last four weeks. The whole path
from texts to alarms is run on one stream, for its speed and its voices.
"""

import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from features.settings import Settings
from serving.listening.listener import BATCH
from serving.listening.watch import AGAIN, MONTH, BrandWatch
from tests.unit.serving.listening.heard import BAD, HOUR, MONDAY, WORDS, listener, post, rhythm

SEED = 23
LEARNT_D, MONTHS = 56, 10
BASE, BURST, BURSTS = 5.0, 40, 10
#: Streams of `MONTHS` by kind: 200 months, and 60 each of two harder kinds.
STREAMS = {"": 20, "overdispersed": 6, "drifting": 6}
#: Share of voices that are copied, and their copies on average.
COPIED, COPIES = 0.02, 20
USUAL_D, FAR = 28, 3.0
FIRST = int(MONDAY // HOUR)


@dataclass
class Watched:
    """What both rules found in one stream."""

    alarms: int = 0
    naive: int = 0
    delays: tuple[int, ...] = ()
    naive_delays: tuple[int, ...] = ()


def rows(settings: Settings) -> Iterator[dict[str, Any]]:
    for kind, streams in STREAMS.items():
        found = [_watched(kind, np.random.default_rng([SEED, one])) for one in range(streams)]
        months = streams * MONTHS
        yield {
            "name": f"nlp.crisis.false_alarms_per_month{'.' * bool(kind)}{kind}",
            "value": sum(one.alarms for one in found) / months,
            "baseline": sum(one.naive for one in found) / months,
            "goal": "<= 1",
            "unit": f"alarms, {months} quiet months with copies, at most 1 stated; beside it a z-score of 3",
            "seed": SEED,
        }
        if not kind:
            yield from _delays(found)
    yield from _whole_path()


def _delays(found: list[Watched]) -> Iterator[dict[str, Any]]:
    ours = np.array([delay for one in found for delay in one.delays])
    naive = np.array([delay for one in found for delay in one.naive_delays])
    low, high = np.quantile(ours, [0.1, 0.9])
    told = f"posts of {BURST} within an hour over {BASE:g} voices an hour"
    yield {
        "name": "nlp.crisis.delay_posts",
        "value": float(ours.mean()),
        "low": float(low),
        "high": float(high),
        "baseline": float(naive.mean()),
        "goal": "<= 15",
        "unit": f"{told}, mean of {len(ours)} bursts, 10-90%; one that is not found counts {BURST}",
        "seed": SEED,
    }
    yield {
        "name": "nlp.crisis.found",
        "value": float((ours < BURST).mean()),
        "baseline": float((naive < BURST).mean()),
        "unit": f"of {len(ours)} bursts, {told}",
        "seed": SEED,
    }


def _watched(kind: str, rng: np.random.Generator) -> Watched:
    days = LEARNT_D + round(MONTHS * MONTH / 24)
    rates = rhythm(days, BASE) * _moves(kind, days, rng)
    voices = rng.poisson(np.repeat(rates / 4, 4)).reshape(-1, 4)
    posts = voices.sum(1) + rng.poisson(COPIES, len(rates)) * rng.binomial(voices.sum(1), COPIED)
    watched, watch, begun = Watched(), BrandWatch(FIRST), LEARNT_D * 24
    bursts = set(rng.choice(np.arange(begun, len(rates) - 1), BURSTS, replace=False).tolist()) if not kind else set()
    resting = 0
    for hour, quarters in enumerate(voices.tolist()):
        usual = posts[max(hour - USUAL_D * 24, 0) : hour]
        limit = usual.mean() + FAR * usual.std() if len(usual) else np.inf
        if hour in bursts:
            ours, naive = _burst(watch, voices[hour : hour + 2], limit, rng)
            watched.delays += (ours,)
            watched.naive_delays += (naive,)
        alarm, _ = watch.close(quarters, 1.0, None)
        watched.alarms += alarm is not None and hour >= begun
        if hour >= max(begun, resting) and posts[hour] > limit:
            watched.naive += 1
            resting = hour + AGAIN
    return watched


def _moves(kind: str, days: int, rng: np.random.Generator) -> np.ndarray:
    """What an hour's rate is multiplied by: a gamma of each hour and day, or a level that drifts 15% a week."""
    if kind == "overdispersed":
        return rng.gamma(5, 1 / 5, days * 24) * np.repeat(rng.gamma(25, 1 / 25, days), 24)
    if kind == "drifting":
        walk = np.cumsum(rng.normal(0, 0.15 / np.sqrt(7), days))
        return np.repeat(np.exp(walk - walk.mean()), 24)
    return np.ones(days * 24)


def _burst(watch: BrandWatch, voices: np.ndarray, limit: float, rng: np.random.Generator) -> tuple[int, int]:
    """Posts of a burst until the alarm of either rule, if it begins within the hour; `BURST` where there is none."""
    angry = np.sort(rng.uniform(0, 1) + rng.uniform(0, 1, BURST))
    usual = np.sort(np.concatenate([hour + rng.uniform(0, 1, int(count)) for hour, count in enumerate(voices.sum(1))]))
    both = np.sort(np.concatenate([angry, usual]))
    copy = BrandWatch.from_json(watch.to_json())
    copy.resting_until = 0
    ours = naive = None
    for hour in range(2):
        times = both[(both >= hour) & (both < hour + 1)]
        quarters = np.bincount(((times - hour) * 4).astype(int), minlength=4).tolist()
        alarm, _ = copy.close(quarters, 1.0, None)
        if alarm is not None and ours is None:
            ours = int((angry <= times[alarm.voice - 1]).sum())
        if len(times) > limit and naive is None:
            naive = int((angry <= times[int(limit)]).sum())
    return BURST if ours is None else ours, BURST if naive is None else naive


def _whole_path() -> Iterator[dict[str, Any]]:
    """Texts to alarms, with VADER for the sentiment."""
    rng = np.random.default_rng([SEED, 99])
    rates, posts, true = rhythm(LEARNT_D), [], 0
    for hour, count in enumerate(rng.poisson(rates)):
        for at in np.sort(rng.uniform(0, HOUR, count)):
            true += 1
            said = f"Runfast {rng.choice(BAD)} {' '.join(rng.choice(WORDS, 10))}"
            copies = 1 + (rng.poisson(COPIES) if rng.random() < COPIED else 0)
            when = MONDAY + hour * HOUR + at
            posts += [post(said, when + n, author=f"{true} {n}", language="en") for n in range(copies)]
    posts.sort(key=lambda row: row["occurred_at"])
    with tempfile.TemporaryDirectory() as folder:
        heard = listener(Path(folder))
        began = time.process_time()
        for at in range(0, len(posts), BATCH):
            heard.take(posts[at : at + BATCH])
        seconds = time.process_time() - began
        ((voices,),) = heard.store.rows("SELECT sum(voices) FROM quarters WHERE brand = 'Runfast'")
    about = f"{len(posts):,} posts of {true:,} voices, VADER for the sentiment"
    yield {
        "name": "nlp.crisis.voices_ratio",
        "value": voices / true,
        "baseline": len(posts) / true,
        "goal": ">= .98, <= 1.02",
        "unit": f"voices counted over true ones, {about}; beside it posts",
        "seed": SEED,
    }
    yield {
        "name": "nlp.crisis.mentions_per_s_core",
        "value": len(posts) / seconds,
        "unit": f"posts a second of processor time, {about}",
        "seed": SEED,
    }
