"""Answers about products: each value in them is from the product sheet."""

from serving.conversations.shop import Product, Shop

#: A reply's name in `replies.yaml`, and the values of its braces.
Answer = tuple[str, dict[str, str]]
#: Features that a reply names, at most.
NAMED = 3


class ShopAnswers:
    """Answers by intent."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    def answer(self, intent: str, product: str | None, text: str) -> Answer:
        """The answer to an intent about a product; `text` is what a recommendation is chosen by."""
        found = self._shop.product(product) if product else None
        if intent == "recommend":
            return self._recommend(text)
        if intent == "greeting":
            return "greeting", {}
        if found is None:
            return "product_unknown", {}
        return {"price": _price, "availability": _stock, "details": _details, "too_expensive": self._objection}[intent](
            found
        )

    def _recommend(self, text: str) -> Answer:
        best = self._shop.best(text)
        return ("recommend_nothing", {}) if best is None else ("recommend", _sheet(best))

    def _objection(self, product: Product) -> Answer:
        """To a price: what the product has, and what costs less."""
        if product.price is None:
            return "price_unknown", _sheet(product)
        other = self._shop.cheaper(product)
        if other is None:
            return "worth", _sheet(product)
        return "cheaper", {**_sheet(product), "other": other.name, "other_price": other.price or ""}


def _price(product: Product) -> Answer:
    if product.price is None:
        return "price_unknown", _sheet(product)
    return ("price_was" if product.list_price else "price"), _sheet(product)


def _stock(product: Product) -> Answer:
    if product.stock is None:
        return "stock_unknown", _sheet(product)
    return ("in_stock" if product.stock else "sold_out"), _sheet(product)


def _details(product: Product) -> Answer:
    return "details", _sheet(product)


def _sheet(product: Product) -> dict[str, str]:
    features = ", ".join(product.features[:NAMED]) or product.kind or product.name
    return {
        "product": product.name,
        "price": product.price or "",
        "list_price": product.list_price or "",
        "features": features,
    }
