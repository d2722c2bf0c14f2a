"""Random forest with a minimum leaf size: the member that averages decorrelated trees."""

from pathlib import Path

from models.churn import conversion
from models.churn.members import Member
from models.churn.params import ChurnParams
from models.churn.piecewise_linear import Floats


def fit(x: Floats, churned: Floats, params: ChurnParams, seed: int, progress: Path) -> Member:
    """Learn log-odds of churn from an encoded matrix. Quick enough to start again: `progress` is not needed."""
    from sklearn.ensemble import RandomForestClassifier

    model = RandomForestClassifier(
        params.trees,
        max_depth=10,
        min_samples_leaf=15,
        max_features="sqrt",
        max_samples=0.6,
        random_state=seed,
        n_jobs=-1,
    )
    model.fit(conversion.filled(x), churned)
    return Member.of(conversion.of_forest(model, x.shape[1]))
