"""`adloop rotate`: the creatives of each campaign and their fatigue, as text for the terminal."""

from collections.abc import Sequence

from serving.decisions.rotation import Rotation


def as_table(found: Sequence[Rotation], applied: bool) -> str:
    """The creatives, the worn ones first."""
    if not found:
        return "no decision has shown a creative in the last weeks"
    from rich.table import Table
    from rich.text import Text

    from pipelines.console import console

    worn = f"{'rests' if applied else 'worn'}: "
    table = Table("account", "campaign", "creative", "impressions", "clicks", "click rate", "state")
    for one in sorted(found, key=lambda one: (not one.reason, one.account_id, one.campaign_id, one.creative_id)):
        state = worn + one.reason if one.reason else "no sign of fatigue"
        figures = f"{one.impressions:,}", f"{one.clicks:,}", f"{one.clicks / one.impressions:.2%}"
        table.add_row(*map(Text, (one.account_id, one.campaign_id, one.creative_id, *figures, state)))
    output = console()
    with output.capture() as captured:
        output.print(table)
    return captured.get().rstrip("\n")
