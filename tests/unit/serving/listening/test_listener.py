"""What is counted: each post once, copies and single authors as one voice, and alarms with their typical posts."""

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from serving.listening.listener import Listener, Raised
from serving.listening.summary import summarize
from tests.unit.serving.listening.heard import (
    BRANDS,
    DAY,
    HOUR,
    MONDAY,
    Vader,
    complaint,
    complaints,
    listener,
    post,
    rhythm,
)


@pytest.fixture
def heard(tmp_path: Path) -> Listener:
    return listener(tmp_path)


def counts(heard: Listener, brand: str = "Runfast") -> tuple[int, ...]:
    """Mentions, voices, negative, neutral and positive ones."""
    query = (
        "SELECT sum(mentions), sum(voices), sum(negative), sum(neutral), sum(positive) FROM quarters WHERE brand = ?"
    )
    return heard.store.rows(query, brand)[0]


def test_five_hundred_copies_of_a_post_are_one_voice(heard: Listener) -> None:
    said = "Runfast shoes are terrible, they fell apart after a single week of running"
    copies = [post(said, MONDAY + one, author=f"a{one}") for one in range(250)]
    nearly = [
        post(f"RT @someone: {said.upper()}!!! https://t.co/{one}", MONDAY + 300 + one, author=f"b{one}")
        for one in range(250)
    ]
    heard.take(copies + nearly)
    assert counts(heard) == (500, 1, 1, 0, 0)


def test_copies_count_once_over_batches_and_restarts(heard: Listener, tmp_path: Path) -> None:
    heard.take([post("Runfast is terrible, do not buy it", author="a")])
    heard.store.close()
    again = listener(tmp_path)
    again.take([post("Runfast is terrible, do not buy it", MONDAY + 1, author="b")])
    assert counts(again) == (2, 1, 1, 0, 0)


def test_one_author_of_many_posts_is_one_voice_of_each_side_a_day(heard: Listener) -> None:
    rng = np.random.default_rng(1)
    bot = [{**complaint(rng, MONDAY + one), "author": "bot"} for one in range(100)]
    heard.take([*bot, post("I love Runfast, great!", MONDAY + 200, author="BOT")])
    assert counts(heard) == (101, 2, 1, 0, 1)
    heard.take([{**complaint(rng, MONDAY + 2 * DAY), "author": "bot"}])
    assert counts(heard) == (102, 3, 2, 0, 1)


def test_different_posts_of_different_people_are_voices_of_their_own(heard: Listener) -> None:
    rng = np.random.default_rng(2)
    heard.take([complaint(rng, MONDAY + one) for one in range(50)])
    assert counts(heard) == (50, 50, 50, 0, 0)


def test_a_post_told_again_is_not_counted_again(heard: Listener, tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    posts = [complaint(rng, MONDAY + one) for one in range(20)]
    first, second = heard.take(posts + posts[:5]), listener(tmp_path).take(posts)
    assert (first.counted, first.known, second.counted, second.known) == (20, 5, 0, 20)
    assert counts(heard)[0] == 20


def test_a_batch_that_fails_is_not_counted_at_all(tmp_path: Path) -> None:
    class Broken(Vader):
        def classify(self, texts: Any, task: str, aspects: Any = None) -> Any:
            raise LookupError("no classifier")

    heard = listener(tmp_path)
    working, heard._classifier = heard._classifier, Broken()
    rows = [post("Runfast is terrible")]
    with pytest.raises(LookupError):
        heard.take(rows, "a file", "12")
    assert heard.store.position("a file") == ""
    heard._classifier = working
    assert heard.take(rows, "a file", "12").counted == 1
    assert heard.store.position("a file") == "12"


def test_apple_pie_is_no_mention_of_apple(heard: Listener) -> None:
    pie = ["I baked an apple pie for Sunday", "An apple tree in our garden", "apple crumble with cinnamon"]
    heard.take([post(text, MONDAY + at) for at, text in enumerate(pie)])
    assert counts(heard, "Apple")[0] is None
    meant = ["My new Apple iPhone is great", "The Apple store at the corner closes", "Apple reports higher sales"]
    heard.take([post(text, MONDAY + 10 + at) for at, text in enumerate(meant)])
    assert counts(heard, "Apple")[0] == 3


def test_each_brand_of_a_post_is_asked_about_by_its_name(tmp_path: Path) -> None:
    asked: list[Any] = []

    class Noting(Vader):
        def classify(self, texts: Any, task: str, aspects: Any = None) -> Any:
            asked.extend(zip(texts, aspects, strict=True))
            return super().classify(texts, task, aspects)

    heard = listener(tmp_path)
    heard._classifier = Noting()
    heard.take([post("@runfast fits, my Apple iPhone fell apart")])
    assert [aspect for _, aspect in asked] == ["@runfast", "Apple"]


@pytest.mark.parametrize(
    ("row", "field"),
    [
        (post(""), "text"),
        (post("\x00\x07\u202e"), "text"),
        (post("x" * 1_000_000), "text"),
        (post(7), "text"),
        ("Runfast", "the row"),
        (post("Runfast", "yesterday"), "occurred_at"),
        (post("Runfast", float("nan")), "occurred_at"),
        (post("Runfast", time.time() + 5 * DAY), "occurred_at"),
        (post("Runfast", followers=-1), "followers"),
        (post("Runfast", author={"id": 1}), "author"),
    ],
)
def test_what_is_no_mention_is_refused_by_its_field(heard: Listener, row: Any, field: str) -> None:
    taken = heard.take([row, post("Runfast is great")])
    ((place, wrong),) = taken.refused
    assert (place, wrong.field, taken.counted) == (0, field, 1)
    assert len(str(wrong)) < 250


def test_unusual_texts_are_counted(heard: Listener) -> None:
    taken = heard.take(
        [
            post("😡😡😡 Runfast"),
            post("Runfast \u202egreat\x00 shoes", MONDAY + 1),
            post("حذاء Runfast سيئ جدا ولا أنصح به أبدا", MONDAY + 2),
            post("Die Schuhe von Runfast sind wirklich furchtbar schlecht verarbeitet", MONDAY + 3),
            post("\ud83d Runfast", MONDAY + 4),
            post("😡😡", MONDAY + 5),
        ]
    )
    assert (taken.counted, taken.unnamed, taken.refused) == (6, 1, [])
    (summary,) = summarize(heard.store, BRANDS, ["Runfast"])
    assert (summary.mentions, summary.unrated) == (5, 2)
    kept = {text for (text,) in heard.store.rows("SELECT text FROM texts")}
    assert "Runfast great shoes" in kept


def test_personal_data_is_not_kept(heard: Listener) -> None:
    heard.take([post("Runfast, write to jane.doe@example.org or 4111 1111 1111 1111", author="@jane")])
    ((text,),) = heard.store.rows("SELECT text FROM texts")
    assert text == "Runfast, write to [email] or [card]"
    assert b"jane" not in (heard.store._path.read_bytes())


def test_posts_older_than_what_is_known_to_be_counted_are_refused(heard: Listener) -> None:
    heard.take([post("Runfast is great")])
    ((_, wrong),) = heard.take([post("Runfast is great", MONDAY - 500 * DAY)]).refused
    assert "400 days" in str(wrong)


def burst(rng: np.random.Generator, at: float, count: int) -> list[dict[str, Any]]:
    said = ("battery caught fire", "heel broke", "glue smells of poison")
    times = np.sort(rng.uniform(0, HOUR, count)).tolist()
    return [
        post(
            f"Runfast {said[n % 3]}, {complaint(rng, 0)['text'][8:]}",
            at + when,
            author=f"angry {n}",
            url=f"https://x.y/{n}",
        )
        for n, when in enumerate(times)
    ]


def test_a_burst_is_told_with_typical_posts_while_it_goes_on(tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    heard, begun = listener(tmp_path), MONDAY + 15 * DAY + 14 * HOUR
    heard.take(list(complaints(rng, rhythm(16, 1.0)[: 15 * 24 + 14])), watch=False)
    assert heard.watch(["Runfast"]) == []
    angry = burst(rng, begun, 40)
    copies = [{**angry[3], "author": f"copier {n}", "occurred_at": begun + 600 + n} for n in range(30)]
    told: list[tuple[int, Raised]] = []
    for count, one in enumerate(angry, 1):
        told += [(count, raised) for raised in heard.take([one]).raised]
    heard.take(copies)
    ((count, raised),) = told
    assert count <= 15
    assert raised.at == angry[count - 1]["occurred_at"]
    assert 1 <= len(raised.posts) <= 5
    (summary,) = summarize(heard.store, BRANDS, ["Runfast"])
    (kept,) = summary.alarms
    assert sum(one["posts"] for one in kept["posts"]) >= 60  # posts that came later are among the typical ones
    assert len({one["text"] for one in kept["posts"]}) == len(kept["posts"])
    assert summary.learning_h == 0


def test_late_posts_and_restarts_do_not_change_what_is_told(tmp_path: Path) -> None:
    rng = np.random.default_rng(8)
    quiet = list(complaints(rng, rhythm(16, 1.0)))
    angry = burst(rng, MONDAY + 15 * DAY + 14 * HOUR, 30)
    heard = listener(tmp_path / "one")
    heard.take(quiet + angry)
    late = listener(tmp_path / "other")
    late.take(quiet)
    for at in range(0, 30, 10):
        late.store.close()
        late = listener(tmp_path / "other")
        late.take(angry[at : at + 10])
    (one,), (other,) = (each.store.alarms("Runfast") for each in (heard, late))
    assert one[0] == other[0]
