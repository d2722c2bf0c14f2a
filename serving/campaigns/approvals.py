"""Approvals: by others than the author, of the roles that the amount asks for, for one version, and for a time."""

from collections.abc import Sequence
from dataclasses import dataclass

from serving.campaigns.life import RUNNING, CampaignEvent, CampaignLives, CampaignVersion, WrongState
from serving.campaigns.policy import CampaignPolicy


class NotApproved(PermissionError):
    """Why an approval does not count, or is missing."""


@dataclass(frozen=True)
class ApprovalStanding:
    """Who approved a version, and what is missing. `missing` is empty where it may be launched."""

    people: tuple[str, ...]
    missing: str


def standing(
    version: CampaignVersion, events: Sequence[CampaignEvent], policy: CampaignPolicy, now: float
) -> ApprovalStanding:
    """The approvals of a version that are valid now."""
    given = [
        one
        for one in events
        if one.what == "approval"
        and (one.campaign, one.version) == (version.name, version.version)
        and one.detail["file"] == version.digest
        and one.who != version.author
    ]
    valid = {one.who: one for one in given if one.detail["expires_at"] > now}
    rule, asked = policy.rule(version.plan.budget.daily), version.plan.approvals
    people = max(asked.count, rule.people if rule else 0)
    roles = {*asked.roles, *(rule.roles if rule else ())}
    has = {role for person in valid for role in policy.roles_of(person)}
    missing = list[str]()
    if len(valid) < people:
        expired = "; an approval expired" if len(valid) < len({one.who for one in given}) else ""
        missing.append(f"{len(valid)} of {people} approvals{expired}")
    missing += [f"nobody of the role {role} approved" for role in sorted(roles - has)]
    return ApprovalStanding(tuple(valid), "; ".join(missing))


def approve(
    lives: CampaignLives, version: CampaignVersion, person: str, why: str, policy: CampaignPolicy, at: float
) -> CampaignVersion:
    """Record an approval; with the last one that is missing the version is approved. Of a running version it says that
    a person looked, so that automation may go on.

    Raises `NotApproved` for the author, for an older version, and `WrongState` before its checks passed.
    """
    with lives.writing():
        newest = lives.newest(version.name)
        if newest.version != version.version:
            raise NotApproved(f"{version}: was replaced by version {newest.version}; approve that one")
        if person == newest.author:
            raise NotApproved(f"{newest}: {person} wrote it; another person approves (adloop key --scope approve)")
        if newest.state not in ("checked", "approved", *RUNNING):
            raise WrongState(f"{newest}: is {newest.state}; expected checked (adloop campaign check {newest.name})")
        detail = {
            "file": newest.digest,
            "expires_at": at + policy.approval_h * 3600,
            "roles": sorted(policy.roles_of(person)),
        }
        lives.note(CampaignEvent(at, person, newest.name, newest.version, "approval", why, detail))
        found = standing(newest, lives.events(newest.name), policy, at)
        if found.missing or newest.state != "checked":
            return newest
        return lives.move(newest, "approved", person, f"approved by {', '.join(found.people)}", at)


def need(
    lives: CampaignLives, name: str, policy: CampaignPolicy, now: float, number: int | None = None
) -> CampaignVersion:
    """The version that may be launched now. Raises `NotApproved` or `WrongState` with what to do."""
    newest = lives.newest(name)
    if number not in (None, newest.version):
        raise NotApproved(f"{name} version {number}: was replaced by version {newest.version}; approve that one")
    if newest.state != "approved":
        raise WrongState(f"{newest}: is {newest.state}; expected approved (adloop campaign approve {name})")
    missing = standing(newest, lives.events(name), policy, now).missing
    if missing:
        raise NotApproved(f"{newest}: {missing}; adloop campaign approve {name}")
    return newest
