"""The runs behind `adloop rules`, and their tables, files and plot."""

import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from features import ad_days
from features.daily_parts import join
from features.schema import Schema
from features.settings import Settings
from features.tables import Tables, content_hash
from models.evaluation.bootstrap import Interval
from pipelines.canonical import canonical
from serving.campaigns.rules.condition import Condition
from serving.campaigns.rules.grammar import RuleAccount, RuleFile
from serving.campaigns.rules.look import Evaluation, RuleVerdict
from serving.campaigns.rules.plot import draw
from serving.campaigns.rules.replay import RuleReplay, replay
from serving.campaigns.rules.run import run
from serving.campaigns.rules.store import FILE, LoggedVerdict, RuleStore
from serving.decisions import params as decisions
from serving.integrations.ledger import FILE as LEDGER
from serving.integrations.ledger import WriteLedger

#: Files of a test, below a folder.
FILES = ("days.csv", "acted.csv", "saved.png")


def days(text: str) -> int:
    """Days from `90d` or `90`. Raises `ValueError` naming the option."""
    found = re.fullmatch(r"([1-9]\d{0,3})d?", text)
    if not found:
        raise ValueError(f"--last: expected days such as 90d, got '{text}'")
    return int(found[1])


def tested(
    file: RuleFile,
    data: str,
    schema: Schema,
    settings: Settings,
    last: int,
    seed: int,
    params_file: Path,
    tell: Callable[[str, float], None],
) -> RuleReplay:
    """What the rules would have done on a data folder."""
    tell(f"reading {data}", 0.0)
    params, _ = decisions.read(params_file)
    with canonical(data, schema, settings) as tables:
        frame, hashed = ad_days.read(tables, file.account.zone), content_hash(tables.folder)
    return replay(file, frame, last, seed, params, tell, hashed)


def ran(
    file: RuleFile, settings: Settings, data: str | None, at: float, params_file: Path, dry_run: bool
) -> Evaluation:
    """Look at the rules that are due."""
    params, _ = decisions.read(params_file)
    with (
        closing(WriteLedger(settings.home / LEDGER)) as ledger,
        _store(file, settings) as store,
        _tables(file.account, data, settings) as tables,
    ):
        return run(file, tables, ledger, store, at, params, dry_run)


def logged(file: RuleFile, settings: Settings, most: int, rule: str, name: str) -> list[LoggedVerdict]:
    """The last verdicts, the newest first."""
    with _store(file, settings) as store:
        return store.verdicts(most, rule, name)


@contextmanager
def _store(file: RuleFile, settings: Settings) -> Iterator[RuleStore]:
    with closing(RuleStore(settings.home / FILE, file.account)) as opened:
        yield opened


@contextmanager
def _tables(account: RuleAccount, data: str | None, settings: Settings) -> Iterator[Tables]:
    """The tables of the account: of a folder, or those that were synced."""
    if data is not None:
        with canonical(data, Schema(), settings) as tables:
            yield tables
        return
    folder = settings.home / "platforms" / account.platform / account.id.replace("/", "_")
    parts = list(folder.glob("impressions/*.parquet"))
    if not parts:
        raise FileNotFoundError(f"{folder}: no impressions; run adloop sync {account.platform} first")
    with tempfile.TemporaryDirectory() as temporary:
        yield join(parts, Path(temporary))


def write(done: RuleReplay, folder: Path) -> None:
    """Write the files of a test, each whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, frame in zip(FILES[:2], (done.days, done.acted), strict=True):
        aside = folder / f".{name}"
        frame.to_csv(aside, index=False)
        aside.replace(folder / name)
    draw(done, folder / FILES[2])


def as_json(done: RuleReplay, seed: int) -> Mapping[str, object]:
    """A test as JSON."""
    return {
        "days": len(done.days),
        "changes": done.changes,
        "not_yet": done.not_yet,
        "saved": vars(done.saved),
        "net": vars(done.net) if done.net else None,
        "lost_conversions": float(done.days["lost_conversions"].sum()),
        "acted": done.acted.astype(str).to_dict("records"),
        "seed": seed,
        "data_hash": done.data_hash,
    }


def show(done: RuleReplay, console: Console) -> None:
    """Print what would have been done, then what that would have saved."""
    table = Table(title=f"{len(done.days)} days", title_justify="left")
    for column in ("day", "rule", "object", "what", "why"):
        table.add_column(column, overflow="fold")
    for one in done.acted.itertuples():
        what = f"told: {one.value}" if one.field == "told" else f"{one.field} {one.before} to {one.value}"
        table.add_row(
            str(one.day), *(escape(str(t)) for t in (one.rule, f"{one.object} {one.object_id}", what, one.why))
        )
    console.print(table)
    spend = done.days["spend"].sum()
    console.print(f"{done.changes} changes; {done.not_yet} times not yet or unknown")
    console.print(f"spend not spent: {_text(done.saved)} of {spend:,.2f}, 95% interval over weeks")
    console.print(f"conversions not come: {done.days['lost_conversions'].sum():,.1f}")
    if done.net is None:
        console.print("net saving: unknown: no values of conversions; give a target cpa to say what one is worth")
    else:
        console.print(f"net saving, less the value not come: {_text(done.net)}")


def rules_table(file: RuleFile) -> Table:
    """The rules of a file as they were understood."""
    where = f"{file.account.platform} {file.account.id} ({file.account.zone})"
    table = Table(title=f"{len(file.rules)} rules of {where}", title_justify="left")
    for column in ("rule", "level", "when", "then", "priority", "looks a day"):
        table.add_column(column, overflow="fold")
    for rule in file.rules:
        then = ", ".join(act.kind for act in rule.then)
        looks = f"{rule.schedule.looks:.3g}"
        table.add_row(rule.name, rule.level, escape(_said(rule.when)), then, str(rule.priority), looks)
    return table


def _said(one: Condition) -> str:
    """A condition in one line."""
    for word, parts in (("and", one.all), ("or", one.any)):
        if parts is not None:
            return "(" + f" {word} ".join(map(_said, parts)) + ")"
    if one.negated is not None:
        return f"not {_said(one.negated)}"
    if one.trigger is not None:
        return f"{one.trigger} in {one.window.text}"
    operator, value = one.operator
    said = getattr(value, "said", None) or value
    return (
        f"{one.metric or one.field} {operator.replace('_', ' ')} {said}{f' in {one.window.text}' if one.metric else ''}"
    )


def verdicts_table(verdicts: Sequence[RuleVerdict]) -> Table:
    """Verdicts with their reasons, and what was done."""
    table = Table()
    for column in ("rule", "half hour", "object", "answer", "why", "done"):
        table.add_column(column, overflow="fold")
    colour = {"yes": "green", "no": "dim", "not yet": "yellow"}
    for one in verdicts:
        answer = f"[{colour[one.tri]}]{one.tri}[/]"
        table.add_row(
            one.rule, one.slot, escape(" ".join(one.place)), answer, escape(one.why), escape("; ".join(one.done))
        )
    return table


def _text(found: Interval) -> str:
    return f"{found.value:,.2f} [{found.low:,.2f} to {found.high:,.2f}]"
