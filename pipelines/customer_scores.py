"""What the champions say of all customers of some tables, at one moment."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from features import store
from features.settings import Settings
from features.tables import Tables
from features.transforms import CUSTOMER
from features.views import TIMESTAMP
from models import catalog
from models.bundle import open_bundle
from models.keys import public_key
from models.registry import Registry
from serving.campaigns.customers.engagement import engagement
from serving.decisions.kinds.retention import KIND

#: The answers that decisions to keep customers need; both families read the same features.
RISK, VALUE = KIND.needs["churn_probability"], KIND.needs["value"]


@dataclass(frozen=True)
class ScoredCustomers:
    """Customers with their features and scores.

    Attributes:
        customers: `customer_id`, `risk`, `value` (and `value_low`, `value_high`, `value_1y`) and `engagement`, a row
            a customer.
        features: on the same index.
        champions: that tell the `risk` and the `value`.
    """

    at: pd.Timestamp
    customers: pd.DataFrame
    features: pd.DataFrame
    champions: "dict[str, CustomerChampion]"


def service_of_customers() -> str:
    """The service whose features the champions read."""
    service = catalog.family(RISK.family).feature_service
    if service is None:
        raise LookupError(f"{RISK.family} reads no features")
    return service


def features_at(tables: Tables, moments: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    """The features of customers as of moments of their own, in the order of `moments` (customer_id, occurred_at)."""
    asked = moments[["customer_id", "occurred_at"]].rename(columns={"occurred_at": TIMESTAMP})
    snapshot = store.build(tables, service_of_customers(), asked, None, settings)
    frame = store.training_frame(snapshot, asked, settings)
    return frame.drop(columns=["customer_id", TIMESTAMP])


def scored(tables: Tables, as_of: str | None, share: float, settings: Settings) -> ScoredCustomers:
    """Score all customers by the champions of churn and LTV.

    Args:
        as_of: the moment; the latest of the tables without one.
        share: of the earlier use below which engagement declines.

    Raises:
        LookupError: a family has no champion, or one trained on other features; says how to get one.
    """
    at = pd.Timestamp(CUSTOMER.moment(tables, as_of) or CUSTOMER.latest(tables, None))
    ids = pd.read_parquet(tables.path("customers"))["customer_id"].sort_values(ignore_index=True)
    features = features_at(tables, pd.DataFrame({"customer_id": ids, "occurred_at": at}), settings)
    champions = {name: _champion(need.family, features, settings) for name, need in (("risk", RISK), ("value", VALUE))}
    answers = {name: one.predict(features) for name, one in champions.items()}
    customers = pd.DataFrame(
        {
            "customer_id": ids.astype(str),
            "risk": answers["risk"][RISK.answer].astype(float),
            **{name: answers["value"][name].astype(float) for name in ("value", "value_low", "value_high", "value_1y")},
            "engagement": engagement(features, share),
        }
    )
    return ScoredCustomers(at, customers, features, champions)


@dataclass(frozen=True)
class CustomerChampion:
    """A family's champion, asked for rows of features that the tables have."""

    family: str
    version: str
    model: Any
    columns: tuple[str, ...]

    def predict(self, features: pd.DataFrame) -> pd.DataFrame:
        answers: pd.DataFrame = self.model.predict(features[list(self.columns)])
        return answers.set_axis(features.index)

    def explain(self, features: pd.DataFrame) -> pd.DataFrame:
        reasons: pd.DataFrame = self.model.explain(features[list(self.columns)])
        return reasons.set_axis(features.index)


def _champion(family: str, features: pd.DataFrame, settings: Settings) -> CustomerChampion:
    registry = Registry(settings)
    found = registry.champion(family)
    if found is None:
        raise LookupError(f"{family} has no champion: adloop run --family {family}")
    bundle = open_bundle(registry.download(family, found.version), public_key(settings), family, found.version)
    missing = [name for name in bundle.manifest.inputs if name not in features]
    if missing:
        raise LookupError(
            f"{family} {found.version} was trained on features that these tables do not have: {', '.join(missing)}; "
            f"train on them: adloop run --family {family} --data DIR"
        )
    return CustomerChampion(family, found.version, bundle.model, tuple(bundle.manifest.inputs))
