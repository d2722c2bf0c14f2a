"""Readers: files of JSON lines and tables, feeds, topics, and the brand list."""

import json
from pathlib import Path

import pytest

from features.settings import Settings
from serving.listening.brands import BadBrands, load
from serving.listening.feed import FeedUnavailable, entries
from serving.listening.files import Batch, json_lines, table
from serving.listening.mentions import mention

FEED = b"""<?xml version="1.0"?><rss version="2.0"><channel><title>News</title><item>
<title>Runfast recalls shoes</title><description>&lt;p&gt;The soles &lt;b&gt;melt&lt;/b&gt; &amp;amp; smell&lt;/p&gt;
</description><link>https://example.org/1</link><guid>1</guid><pubDate>Mon, 05 Jan 2026 09:30:00 GMT</pubDate>
</item></channel></rss>"""


def lines(count: int, first: int = 0) -> str:
    return "".join(f"{json.dumps({'text': f'post {n}', 'occurred_at': n})}\n" for n in range(first, first + count))


def read(file: Path, position: str = "", size: int = 4) -> list[Batch]:
    return list(json_lines(file, position, size))


def test_a_file_is_resumed_where_it_ended(tmp_path: Path) -> None:
    file = tmp_path / "posts.jsonl"
    file.write_text(lines(10))
    first = read(file)
    assert [len(one.rows) for one in first] == [4, 4, 2]
    assert first[-1].share == 1.0
    with file.open("a") as more:
        more.write(lines(3, 10))
    ((rows),) = [one.rows for one in read(file, first[-1].position)]
    assert [row["text"] for row in rows] == ["post 10", "post 11", "post 12"]
    resumed = [row["text"] for one in read(file, first[0].position) for row in one.rows]
    assert resumed[0] == "post 4"


def test_another_file_of_the_name_is_read_from_its_beginning(tmp_path: Path) -> None:
    file = tmp_path / "posts.jsonl"
    file.write_text(lines(10))
    position = read(file)[-1].position
    file.write_text(lines(20, 100))
    assert read(file, position)[0].rows[0]["text"] == "post 100"


def test_a_line_that_is_still_written_waits(tmp_path: Path) -> None:
    file = tmp_path / "posts.jsonl"
    whole = lines(2)
    file.write_text(whole[:-9])
    (first,) = read(file)
    assert len(first.rows) == 1
    file.write_text(whole)
    ((again),) = read(file, first.position)
    assert [row["text"] for row in again.rows] == ["post 1"]


def test_lines_that_are_no_json_are_told_and_the_others_read(tmp_path: Path) -> None:
    file = tmp_path / "posts.jsonl"
    file.write_bytes(b"no json\n\n" + b"\xff\xfe\n" + b"[" * 50_000 + b"\n" + lines(1).encode())
    ((rows),) = [one.rows for one in read(file, size=9)]
    assert [isinstance(row, dict) for row in rows] == [False, False, False, True]


def test_a_table_of_mentions_is_read_by_its_contract(tmp_path: Path) -> None:
    (tmp_path / "mentions.csv").write_text(
        "text,occurred_at,author,followers\nRunfast is great,2026-01-05T09:30:00+01:00,jane,\n"
    )
    ((batch),) = table(str(tmp_path), Settings(home=tmp_path / "home"), 10)
    one = mention(batch.rows[0])
    assert (one.text, one.at, one.followers) == ("Runfast is great", 1767601800.0, None)


def test_a_folder_without_mentions_is_refused(tmp_path: Path) -> None:
    (tmp_path / "customers.csv").write_text("customer_id\n1\n")
    with pytest.raises(FileNotFoundError, match="mentions"):
        list(table(str(tmp_path), Settings(home=tmp_path / "home"), 10))


def test_a_feed_is_read_without_its_markup() -> None:
    (row,) = entries(FEED, "https://example.org/feed")
    one = mention(row)
    assert one.text == "Runfast recalls shoes. The soles melt & smell"
    assert (one.at, one.url, one.source) == (1767605400.0, "https://example.org/1", "example.org")


def test_a_page_that_is_no_feed_is_refused() -> None:
    with pytest.raises(FeedUnavailable, match="expected an RSS or Atom feed"):
        entries(b"<html><body>not found</body></html>", "https://example.org")


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("brands: []", "brands"),
        ("brands: [{name: A}, {name: a}]", "names"),
        ("brands: [{name: A, alias: [b]}]", "brands.0.alias"),
        ("brands: [{name: A}]\nzone: Mars/Olympus", "zone"),
        ("brands: [{name: A}]\nalarms_per_month: 0", "alarms_per_month"),
        ("brands: [{name: a/b}]", "brands.0.name"),
        ("brands: [", "YAML"),
        ("", "the file"),
    ],
)
def test_a_wrong_brand_list_names_its_field(tmp_path: Path, written: str, told: str) -> None:
    file = tmp_path / "brands.yaml"
    file.write_text(written)
    with pytest.raises(BadBrands, match=told):
        load(file)
