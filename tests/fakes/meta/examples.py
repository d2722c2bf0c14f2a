"""What the contract writes to the fake."""

from serving.integrations.change import Change

ACCOUNT, PAGE, PIXEL = "1500", "2500", "3500"
TOKEN = "EAAs3cr3tToken"  # noqa: S105 (the fake's)
#: An ad set that is there at first.
AD_SET = "602"


def _change(change_id: str, **said: object) -> Change:
    whose = {"platform": "meta", "account": ACCOUNT, "reason": "contract", "by": "tests"}
    return Change(change_id=change_id, **whose, **said)  # type: ignore[arg-type]


def creations(count: int) -> list[Change]:
    """Campaigns."""
    return [
        _change(
            f"spring-{place}",
            object="campaign",
            doing="create",
            fields={"name": f"Spring {place}", "daily_budget": 20.5 + place, "status": "paused"},
        )
        for place in range(count)
    ]


def update(change_id: str, value: int) -> Change:
    """The bid of the ad set."""
    return _change(change_id, object="ad_group", doing="update", target=AD_SET, fields={"bid": 1.0 + value / 100})


def refusal() -> tuple[Change, str]:
    """A campaign of a budget that is too small for Meta."""
    fields = {"name": "Tiny", "daily_budget": 0.5}
    return _change("tiny", object="campaign", doing="create", fields=fields), "daily_budget"
