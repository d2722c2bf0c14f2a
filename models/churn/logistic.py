"""Logistic regression over piecewise-linear numbers: the additive member."""

from pathlib import Path

from models.churn.graphs import dense
from models.churn.members import Member
from models.churn.params import ChurnParams
from models.churn.piecewise_linear import Basis, Floats

#: Inverse of the L2 penalty on centred pieces.
C = 0.1


def fit(x: Floats, churned: Floats, params: ChurnParams, seed: int, progress: Path) -> Member:
    """Learn log-odds of churn from an encoded matrix.

    One optimum, found in a moment: `seed` and `progress` are not needed.
    """
    from sklearn.linear_model import LogisticRegression

    basis = Basis.fit(x)
    model = LogisticRegression(C=C, max_iter=1000).fit(basis.expand(x), churned)
    return Member.of(dense(basis, [(model.coef_.T, model.intercept_)]))
