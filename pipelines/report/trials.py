"""Experiments in words, tables and JSON: for the terminal and for the report."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pipelines.report.wording import number
from serving.experiments.trials import account
from serving.experiments.trials.account import Gain
from serving.experiments.trials.findings import ArmFinding, EffectFinding, Findings
from serving.experiments.trials.verdict import guarded
from serving.experiments.trials.winners_curse import Corrected, Shrinkage

if TYPE_CHECKING:
    from rich.table import Table

#: Share of the variance from which on CUPED is worth a word.
SAVED = 0.01
COLUMNS = ("arm", "share", "units", "mean", "effect", "bounds", "corrected", "best", "expected loss")


def plain(found: Findings, learnt: Shrinkage) -> dict[str, Any]:
    """Findings as JSON values, with corrected effects, the gain and the budget that follows."""
    gain, budget = account.gain(found, learnt), account.budget(found, learnt)
    return {
        **asdict(found),
        "corrected": {one.arm: asdict(account.corrected(one, learnt)) for one in found.effects},
        "gain": None if gain is None else asdict(gain),
        "budget": None if budget is None else asdict(budget),
    }


def arms_table(found: Findings, learnt: Shrinkage) -> "Table":
    """A row an arm, and below it the verdict and what else is to be said."""
    from rich.table import Table
    from rich.text import Text

    table = Table(*COLUMNS, title=heading(found), title_justify="left")
    for cells in rows(found, learnt):
        table.add_row(*(Text(cells[name]) for name in COLUMNS))
    table.caption, table.caption_justify = Text("\n".join([verdict_text(found), *notes(found, learnt)])), "left"
    return table


def heading(found: Findings) -> str:
    """Name, metric and day."""
    size = f"{sum(arm.units for arm in found.arms):,.0f} of {found.needed:,} units"
    return f"{found.name}: {found.metric}, as of {found.as_of}, {size if found.planned else 'not planned here'}"


def verdict_text(found: Findings) -> str:
    return f"{found.verdict}: {found.verdict.reason}"


def rows(found: Findings, learnt: Shrinkage) -> list[Mapping[str, str]]:
    """The cells of each arm by column; dashes where results are withheld."""
    effects = {one.arm: one for one in found.effects}
    return [_row(arm, effects.get(arm.name), learnt) for arm in found.arms]


def _row(arm: ArmFinding, effect: EffectFinding | None, learnt: Shrinkage) -> dict[str, str]:
    better = None if effect is None else account.corrected(effect, learnt)
    return {
        "arm": arm.name,
        "share": f"{arm.share:.0%}",
        "units": f"{arm.units:,.0f}",
        "mean": "-" if arm.mean is None else f"{arm.mean:.4g}",
        "effect": "-" if effect is None else f"{effect.value:+.1%}",
        "bounds": "-" if effect is None else f"{effect.low:+.1%} to {effect.high:+.1%}",
        "corrected": "-" if better is None else corrected_text(better),
        "best": "-" if arm.best is None else f"{arm.best:.1%}",
        "expected loss": "-" if arm.loss is None else f"{arm.loss:.2g}",
    }


def corrected_text(better: Corrected) -> str:
    """A corrected effect with its interval."""
    return f"{better.value:+.1%} ({better.low:+.1%} to {better.high:+.1%})"


def notes(found: Findings, learnt: Shrinkage) -> list[str]:
    """What else is to be said, a line each."""
    gain, budget = account.gain(found, learnt), account.budget(found, learnt)
    said = [f"guarded {guarded(one)}" for one in found.guards]
    if found.waited:
        said.append(f"outcomes of the last {found.waited} days are waited for")
    if found.resized:
        said.append(
            f"grown to {found.needed:,} units after the first week: outcomes are rarer or vary more than planned"
        )
    if found.saved > SAVED:
        said.append(f"CUPED took away {found.saved:.0%} of the variance")
    said += [_tired(one) for one in found.effects if one.trend is not None and one.trend[2] < 0]
    if gain is not None:
        said.append(gain_text(gain))
    if budget is not None:
        said.append(
            f"at the same cost of an outcome the spend of {budget.now:,.2f} a day may become {budget.corrected:,.2f} "
            f"(by the raw effect {budget.raw:,.2f})"
        )
    return [*said, found.personal] if found.personal else said


def _tired(effect: EffectFinding) -> str:
    assert effect.trend is not None  # noqa: S101  (told by the caller)
    value, low, high = effect.trend
    return f"the effect of {effect.arm} wears off: {value:+.2%} a day ({low:+.2%} to {high:+.2%}), the season apart"


def sentence(said: str) -> str:
    """A line as a sentence."""
    return f"{said[0].upper()}{said[1:]}."


def gain_text(gain: Gain) -> str:
    """What was gained, corrected and raw."""
    together = f" by {gain.experiments} experiments together" if gain.experiments > 1 else ""
    return (
        f"{number(gain.value)} more {gain.metric} in {account.MONTH} days{together} ({number(gain.low)} to "
        f"{number(gain.high)}; uncorrected {number(gain.raw)})"
    )


def counted(found: Sequence[Findings]) -> str:
    """How many experiments have which verdict, and what they brought together."""
    words = Counter(str(one.verdict.word) for one in found).most_common()
    gains = account.cumulative(found, account.spread(found))
    told = ", ".join(f"{count} {word}" for word, count in words)
    return "; ".join([f"{len(found)} experiment{'s' if len(found) > 1 else ''}: {told}", *map(gain_text, gains)])


def in_short(found: Findings | None, learnt: Shrinkage) -> tuple[str, str, str]:
    """Verdict, raw and corrected effect of the shipped arm, else of the one with the largest effect."""
    if found is None:
        return "-", "-", "-"
    shown = found.shipped or max(found.effects, key=lambda one: one.value, default=None)
    if shown is None:
        return str(found.verdict), "-", "-"
    raw = f"{shown.arm} {shown.value:+.1%} ({shown.low:+.1%} to {shown.high:+.1%})"
    return str(found.verdict), raw, corrected_text(account.corrected(shown, learnt))
