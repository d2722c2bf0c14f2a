"""A small made-up business in canonical tables: customers who buy at their own pace until they stop, auctions,
creatives, texts and pictures."""

import json
from base64 import b64encode
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

START = pd.Timestamp("2023-01-01")
DAYS = 420


def write(
    folder: Path, customers: int = 400, seed: int = 7, creatives: int = 0, texts: int = 0, images: int = 0
) -> Path:
    """Write tables of customers and auctions and, where there are any, of `creatives`, `texts` and `images` into
    `folder`; the same seed writes the same rows."""
    rng = np.random.default_rng(seed)
    names = [f"c{number:05d}" for number in range(customers)]
    folder.mkdir(parents=True, exist_ok=True)
    plan = rng.choice(["basic", "gold", None], customers, p=[0.6, 0.3, 0.1])
    pd.DataFrame(
        {
            "customer_id": names,
            "age": rng.choice(["18-34", "35-54", "55+"], customers),
            "income": rng.choice(["low", "high"], customers),
            "plan": plan,
            "household_size": np.where(rng.random(customers) < 0.1, np.nan, rng.integers(1, 6, customers)),
        }
    ).to_parquet(folder / "customers.parquet", index=False)
    _purchases(names, plan, rng).to_parquet(folder / "transactions.parquet", index=False, coerce_timestamps="us")
    who = rng.choice(names, customers * 2)
    pd.DataFrame(
        {
            "customer_id": who,
            "occurred_at": START + pd.to_timedelta(rng.integers(0, DAYS, len(who)), unit="D"),
            "campaign_id": rng.choice(["spring", "autumn"], len(who)),
            "channel": rng.choice(["email", "post"], len(who)),
        }
    ).to_parquet(folder / "touches.parquet", index=False, coerce_timestamps="us")
    auctions = pd.concat([_auctions("spring", 40, 0.10, rng), _auctions("autumn", 80, 0.06, rng)])
    auctions.to_parquet(folder / "auctions.parquet", index=False, coerce_timestamps="us")
    if creatives:
        made, shown = _creatives(rng, creatives)
        made.to_parquet(folder / "creatives.parquet", index=False)
        shown.to_parquet(folder / "impressions.parquet", index=False, coerce_timestamps="us")
    if texts:
        _texts(rng, texts).to_parquet(folder / "texts.parquet", index=False)
    if images:
        _images(rng, images).to_parquet(folder / "images.parquet", index=False)
    return folder


def _images(rng: np.random.Generator, count: int) -> pd.DataFrame:
    """Pictures of stripes that lie or stand over some shades, the finer the better rated; some are not rated, and
    of some it is drawn where the stripes are."""
    lying, width = rng.random(count) < 0.5, rng.integers(2, 13, count)
    rows = []
    for flat, wide in zip(lying, width, strict=True):
        shades = Image.fromarray(rng.integers(0, 120, (3, 3, 3)).astype(np.uint8)).resize((96, 96))
        stripes = np.broadcast_to(np.arange(96) // wide % 2, (96, 96))[..., None]
        pixels = np.asarray(shades) + (stripes.swapaxes(0, 1) if flat else stripes) * 80
        file = BytesIO()
        Image.fromarray((pixels + rng.normal(0, 6, pixels.shape)).clip(0, 255).astype(np.uint8)).save(file, "PNG")
        uri = f"data:image/png;base64,{b64encode(file.getvalue()).decode()}"
        rows.append({"uri": uri, "label": "lying" if flat else "standing", "rating": 5 - wide / 3})
    made = pd.DataFrame(rows)
    drawn = json.dumps([{"label": "stripes", "left": 0, "top": 0, "right": 96, "bottom": 96}])
    made["boxes"] = [drawn if place % 4 == 0 else None for place in range(count)]
    return made.assign(rating=made["rating"].where(rng.random(count) < 0.9))


def _texts(rng: np.random.Generator, count: int) -> pd.DataFrame:
    """What customers say of products, and what they ask of a shop: also what no shop is asked."""
    things = ("coffee", "running shoes", "city trip", "lamp", "jacket", "headphones", "tea", "sofa", "bicycle", "watch")
    said = {
        "sentiment": {
            "positive": ("I love this {}", "best {} ever", "so happy with the {}"),
            "negative": ("I hate this {}", "worst {} ever", "so disappointed by the {}"),
            "neutral": ("this is a {}", "the {} is in a box", "they sell a {}"),
        },
        "intent": {
            "order": ("I want to buy a {}", "please order the {} for me"),
            "return": ("I want to send the {} back", "how do I return a {}?"),
            "price": ("what does the {} cost?", "tell me the price of the {}"),
            "delivery": ("when does my {} arrive?", "where is the parcel with the {}?"),
            "colour": ("is the {} there in blue?", "which colours has the {}?"),
            "size": ("how large is the {}?", "what size is the {}?"),
            "oos": ("who won the match on {}day?", "what is the capital of {}land?"),
        },
    }
    made = [
        {"text": f"{form.format(thing)} {sign}".strip(), "label": label, "task": task, "language": "en"}
        for task, labels in said.items()
        for label, forms in labels.items()
        for form in forms
        for thing in things
        for sign in ("", "really")
    ]
    return pd.DataFrame(made).iloc[rng.permutation(len(made))[:count]].reset_index(drop=True)


def _creatives(rng: np.random.Generator, count: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Headlines with a number are clicked half as often again; each creative is shown for some weeks."""
    number = rng.random(count) < 0.5
    things = rng.choice(["coffee", "running shoes", "city trips"], count)
    made = pd.DataFrame(
        {
            "creative_id": [f"ad{place:03d}" for place in range(count)],
            "campaign_id": rng.choice(["spring", "autumn"], count),
            "headline": [
                f"{'Five reasons for' if many else 'Reasons for'} {one}"
                for many, one in zip(number, things, strict=True)
            ],
            "body": rng.choice(["Order today.", "See for yourself."], count),
            "image": [f"https://shop.example/{place}.png" for place in range(count)],
            "format": rng.choice(["image", "video"], count),
            "colour": rng.choice(["red", "blue"], count),
        }
    )
    rate = 0.03 * np.where(number, 1.5, 1.0) * rng.gamma(20, 1 / 20, count)
    days = np.arange(0, DAYS, 2)
    born = rng.integers(0, DAYS - 28, count)
    who, day = np.nonzero((days >= born[:, None]) & (days < born[:, None] + 70))
    shown = pd.DataFrame(
        {
            "creative_id": made["creative_id"].to_numpy()[who],
            "campaign_id": made["campaign_id"].to_numpy()[who],
            "channel": rng.choice(["feed", "story"], len(who)),
            "audience": rng.choice(["young", "old"], len(who)),
            "occurred_at": START + pd.to_timedelta(days[day], unit="D"),
            "impressions": rng.poisson(150, len(who)).astype(float),
        }
    )
    clicks = rng.binomial(shown["impressions"].astype(int), rate[who])
    return made, shown.assign(
        clicks=clicks.astype(float),
        conversions=rng.binomial(clicks, 0.2).astype(float),
        engagements=rng.binomial(shown["impressions"].astype(int), 0.05).astype(float),
        spend=np.round(0.5 * clicks * rng.lognormal(0, 0.1, len(who)), 2),
    )


def _auctions(campaign: str, price: float, ctr: float, rng: np.random.Generator, daily: int = 20) -> pd.DataFrame:
    """Others bid more for what is clicked more, and the prediction tells half of that."""
    count = daily * DAYS
    chance = ctr * rng.gamma(1.5, 1 / 1.5, count)
    return pd.DataFrame(
        {
            "campaign_id": campaign,
            "occurred_at": START + pd.to_timedelta(np.sort(rng.integers(0, DAYS * 86400, count)), unit="s"),
            "channel": rng.choice(["mobile", "desktop"], count),
            "market_price": np.round(price * rng.gamma(2, 0.5, count) * (0.7 + 0.3 * chance / ctr), 2),
            "click": (rng.random(count) < chance).astype(float),
            "predicted_ctr": np.minimum(chance * rng.lognormal(0, 0.5, count), 1.0),
        }
    )


def _purchases(names: list[str], plan: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    gap = rng.gamma(2, 8, len(names)) + 2
    life = rng.exponential(np.where(plan == "gold", 600.0, 250.0))
    value = rng.lognormal(3, 0.6, len(names))
    joined = rng.integers(0, 120, len(names))
    number = np.minimum(np.minimum(life, DAYS - joined) / gap, 60).astype(int) + 1
    who = np.repeat(np.arange(len(names)), number)
    nth = np.arange(len(who)) - np.repeat(np.cumsum(number) - number, number)
    day = joined[who] + nth * gap[who] + rng.uniform(0, 0.5, len(who)) * gap[who] * (nth > 0)
    bought = pd.DataFrame(
        {
            "customer_id": np.array(names)[who],
            "occurred_at": START + pd.to_timedelta((day * 86400).astype(int), unit="s"),
            "amount": np.round(value[who] * rng.lognormal(0, 0.3, len(who)), 2),
            "product_id": rng.choice([f"p{number}" for number in range(30)], len(who)),
            "channel": rng.choice(["shop", "web"], len(who)),
        }
    )
    return bought[day < DAYS].sort_values("occurred_at")
