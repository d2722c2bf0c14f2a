"""The scheduled monitoring pipeline: checks a released model for drift and retrains it where needed."""

from kfp import dsl
from kfp.dsl.graph_component import GraphComponent

from components.monitor.component import monitor
from pipelines.compute import place
from pipelines.training import prepare, training

__all__ = ["monitoring", "prepare"]


def monitoring(family: str) -> GraphComponent:
    """The monitoring pipeline of `family`; retraining is the training pipeline itself, as a task of this one."""
    retraining = training(family, fresh=True)

    @dsl.pipeline(name=f"monitor-{family}", description=f"{family}: drift and calibration, retraining if needed.")
    def watch(
        source: list,
        params: dict,
        sensitive: list,
        plan: dict,
        monitoring: dict,
        schema: dict = {},  # noqa: B006  (Kubeflow's way to say that a parameter is optional)
    ) -> None:
        watched = place(family, monitor(family=family, params=monitoring))
        with dsl.If(watched.outputs["Output"] == True, name="drifted"):  # noqa: E712  (a Kubeflow expression)
            retraining(
                source=source,
                fingerprint="",
                as_of="",
                params=params,
                sensitive=sensitive,
                plan=plan,
                monitoring=monitoring,
                schema=schema,
            )

    return watch
