"""Copy from templates, whose slots the sheet and the brief fill."""

import random
from collections.abc import Iterator
from functools import cache
from itertools import product
from pathlib import Path
from string import Formatter

from features.yaml_file import from_yaml
from serving.content.formats import formats
from serving.content.numbers import Money
from serving.content.sheet import Brief, Language, Sheet

#: Drafts tried for a part at most.
MOST = 120


def drafts(part: str, sheet: Sheet, brief: Brief, seed: int) -> Iterator[tuple[str, str | None, str]]:
    """Text, audience and benefit of each filled template, in an order drawn by the seed; none twice."""
    name, _, kind = part.rpartition(".")
    kind = formats()[name].parts[kind].like or kind
    known = _templates()[brief.written_in].get(kind, ())
    every = list(product(known, sheet.features, brief.audiences or (None,)))
    random.Random(f"{seed} {part}").shuffle(every)  # noqa: S311 - no secret
    seen: set[str] = set()
    for template, benefit, audience in every[:MOST]:
        slots = _slots(sheet, brief, audience, benefit)
        asked = {name for _, name, _, _ in Formatter().parse(template) if name}
        if asked <= slots.keys():
            text = _sentence(template.format_map(slots))
            if text not in seen:
                seen.add(text)
                yield text, audience if "audience" in asked else None, benefit


def _slots(sheet: Sheet, brief: Brief, audience: str | None, benefit: str) -> dict[str, str]:
    others = [one for one in sheet.features if one != benefit]
    slots = {
        "name": sheet.name,
        "brand": sheet.brand,
        "kind": sheet.kind,
        "benefit": benefit,
        "all_benefits": ", ".join(sheet.features),
        "tone": brief.tone,
    }
    optional = {
        "audience": audience,
        "second_benefit": others[0] if others else None,
        "goal": brief.goal,
        "price": shown(sheet.price, brief) if sheet.price else None,
        "free": sheet.free[0] if sheet.free else None,
        "discount": _discount(sheet),
    }
    return slots | {name: text for name, text in optional.items() if text}


def shown(price: Money, brief: Brief) -> str:
    """A price as the market writes it: 19,99 € or €19.99."""
    sign = {"EUR": "€", "USD": "$", "GBP": "£"}.get(price.currency, price.currency)
    if brief.written_in == "de":
        whole, _, cents = f"{price.amount:,.2f}".partition(".")
        return f"{whole.replace(',', '.')},{cents}\u00a0{sign}"
    return f"{sign}{price.amount:,.2f}" if len(sign) == 1 else f"{sign} {price.amount:,.2f}"


def _discount(sheet: Sheet) -> str | None:
    now, before = sheet.price, sheet.list_price
    if now is None or before is None or now.currency != before.currency or before.amount <= now.amount:
        return None
    return f"{int(100 * (before.amount - now.amount) / before.amount)}%"


def _sentence(text: str) -> str:
    """Begins with a capital, as each sentence within."""
    parts = text.replace("..", ".").split(". ")
    return ". ".join(one[:1].upper() + one[1:] for one in parts)


@cache
def _templates() -> dict[Language, dict[str, list[str]]]:
    found: dict[Language, dict[str, list[str]]] = from_yaml(
        Path(__file__).parents[1].joinpath("templates.yaml").read_text()
    )
    return found
