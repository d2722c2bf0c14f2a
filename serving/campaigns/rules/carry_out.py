"""From what rules want to changes, as far as priority, caps, cool-downs and people allow."""

from dataclasses import replace

from serving.campaigns.rules import caps
from serving.campaigns.rules.answers import RuleCase
from serving.campaigns.rules.caps import Past
from serving.campaigns.rules.look import Evaluation, MadeChange, QueueKey, RuleMemory, RuleVerdict
from serving.campaigns.rules.priority import RuleClaim, settled
from serving.campaigns.rules.wishes import Wish
from serving.integrations.change import Change


def carry_out(
    found: Evaluation, claims: list[RuleClaim], verdicts: dict[int, tuple[RuleCase, RuleVerdict]], memory: RuleMemory
) -> None:
    """Make the changes of the claims that win, as far as caps and cool-downs allow."""
    done = {(one.rule, one.place): (list(one.done), list[str]()) for one in found.verdicts}
    for claim, lost in settled(claims):
        asked, verdict = verdicts[id(claim)]
        said, ids = done[verdict.rule, verdict.place]
        if lost:
            said.append(f"{', '.join(wish.field for wish in claim.wishes)}: {lost}")
            continue
        made, why = _made(asked, claim, verdict, memory, len(found.made), found.queue)
        said += why
        ids += [one.change.change_id for one in made]
        found.made += made
    found.verdicts = [
        replace(one, done=tuple(done[one.rule, one.place][0]), change_ids=tuple(done[one.rule, one.place][1]))
        for one in found.verdicts
    ]


def _made(
    asked: RuleCase,
    claim: RuleClaim,
    verdict: RuleVerdict,
    memory: RuleMemory,
    before: int,
    queue: dict[QueueKey, float],
) -> tuple[list[MadeChange], list[str]]:
    """The changes of a claim, all of them or none, and what is said of them."""
    limits, now = asked.file.limits_of(claim.rule), asked.now.timestamp()
    held = [
        f"{wish.field} of {wish.one.place[1]}: {why}"
        for wish in claim.wishes
        if (why := wish.one.held or caps.cooling(memory.past.get(wish.key, Past()), limits, now))
    ]
    if held:
        queue |= {
            key: memory.queue[key] for wish in claim.wishes if (key := (claim.rule.name, *wish.key)) in memory.queue
        }
        return [], held
    if memory.changes_today + before + len(claim.wishes) > asked.file.changes_a_day:
        return [], [f"the {asked.file.changes_a_day} changes of the day are used up"]
    made, said = list[MadeChange](), list[str]()
    for wish in claim.wishes:
        step = _step(wish, memory, asked)
        if step.rest is not None:
            queue[claim.rule.name, *wish.key] = step.rest
        if step.value is not None:
            made.append(MadeChange(_change(asked, wish, step.value, verdict), wish))
        told = f"{wish.field} of {wish.one.place[1]} from {_text(wish.before)} to {_text(step.value)}"
        said.append("; ".join(filter(None, (told if step.value is not None else wish.field, step.why))))
    return made, said


def _step(wish: Wish, memory: RuleMemory, asked: RuleCase) -> caps.Step:
    if wish.bounded or not isinstance(wish.before, float):
        return caps.Step(wish.value)
    past = memory.past.get(wish.key, Past())
    return caps.step(wish.before, wish.value, past, asked.file.limits_of(asked.rule))


def _change(asked: RuleCase, wish: Wish, value: object, verdict: RuleVerdict) -> Change:
    """The change, with an id that is the same however often the half hour is looked at."""
    account, (kind, name) = asked.file.account, wish.one.place
    return Change(
        change_id="/".join(
            ("rule", account.platform, account.id, asked.rule.name, verdict.slot, kind, name, wish.field)
        ),
        platform=account.platform,
        account=account.id,
        object=kind,
        doing="update",
        fields={wish.field: value},
        reason="; ".join(filter(None, (f"rule {asked.rule.name}: {verdict.why}", wish.why))),
        by=f"rule {asked.rule.name}",
        target=name,
        parent=wish.one.parent,
        campaign=wish.one.campaign,
        decision_id=f"rule/{asked.rule.name}/{verdict.slot}",
    )


def _text(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
