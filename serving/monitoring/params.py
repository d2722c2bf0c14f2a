"""The `monitoring` section of `params.yaml`."""

from pydantic import BaseModel, ConfigDict, Field, PositiveInt


class Monitoring(BaseModel):
    """When the monitors speak up, and what follows.

    Attributes:
        threshold: chance of a false alarm a look, over all columns together; so many looks, so many times that at most.
        min_psi: how large a shift must be to matter (population stability index): with enough requests any shift is
            significant. By custom below .1 is no change, .1 to .25 a moderate and above .25 a large one. A column that
            moved by itself in as long a time before the reference has to move half as far again.
        min_rows: fewer logged rows than this say nothing.
        window_rows: the newest logged rows, at most, that are looked at.
        retrain: whether drift starts training on the cluster.
        schedule: when the cluster looks, as Kubeflow's cron with seconds first.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    threshold: float = Field(gt=0, lt=1)
    min_psi: float = Field(ge=0)
    min_rows: PositiveInt
    window_rows: PositiveInt
    retrain: bool
    schedule: str
