"""How many workers run tests, which files each takes, and what it collects first."""

import os
from collections.abc import Generator

import pytest
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

CORES = os.cpu_count() or 1
#: One a core for tests that compute, and two for those of `WAITING`.
WORKERS = CORES + 2
#: Files whose tests wait for clocks, servers and locks for about half of their time or more, as measured.
WAITING = frozenset(
    f"tests/{name}.py"
    for name in (
        "integration/test_cluster_pods",
        "integration/test_decision_state",
        "integration/test_decision_state_clock",
        "integration/test_decision_workers",
        "integration/test_decisions_canary",
        "integration/test_decisions_kafka",
        "integration/test_doors",
        "integration/test_drafter_endpoint",
        "integration/test_family_server",
        "integration/test_full_disk",
        "integration/test_inference_faults",
        "integration/test_listening_topic",
        "integration/test_online_redis",
        "integration/test_records_s3",
        "integration/test_redis_failover",
        "integration/test_rollout",
        "integration/test_rollout_kserve",
        "integration/test_serve_faults",
        "integration/test_shared_feedback",
        "integration/test_shared_records",
        "integration/test_text_stores",
        "integration/test_texts_real",
        "integration/test_texts_serve",
        "unit/components/test_monitor",
        "unit/features/test_decision_log",
        "unit/pipelines/test_submit",
        "unit/serving/decisions/test_log",
        "unit/serving/decisions/test_log_faults",
        "unit/serving/decisions/test_log_tidy",
        "unit/serving/experiments/test_replay",
        "unit/serving/inference/test_requests",
    )
)


class SomeWait(LoadScopeScheduling):
    """By file: workers beyond one a core take those that wait, and end when none is left. With more workers that
    compute, each would be slower, as they share caches; with fewer that wait, cores would idle."""

    def _reschedule(self, node: WorkerController) -> None:
        others = [one for one in self.nodes if one is not node and not one.shutting_down]
        if _waits(node) and len(others) >= CORES and not WAITING & self.workqueue.keys():
            node.shutdown()
        super()._reschedule(node)

    def _assign_work_unit(self, node: WorkerController) -> None:
        preferred = (file for file in self.workqueue if (file in WAITING) is _waits(node))
        self.workqueue.move_to_end(next(preferred, next(iter(self.workqueue))), last=False)
        super()._assign_work_unit(node)


def _waits(node: WorkerController) -> bool:
    return int(node.gateway.id.removeprefix("gw")) >= CORES


class FromElsewhere:
    """Begins a collection after this share of the tests. On a fresh clone, a collection is mostly pytest's compiling of
    asserts, and workers that begin in different places find compiled what others have been through."""

    PLACE = pytest.StashKey[int]()

    def __init__(self, share: float) -> None:
        self._share = share

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(self) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        report = yield
        nodes = report.result or []
        for place, node in enumerate(nodes):
            node.stash[self.PLACE] = place
        start = int(len(nodes) * self._share)
        report.result = nodes[start:] + nodes[:start]
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Put the tests in order again, which has to be the same for all workers."""
        items.sort(key=lambda item: [node.stash.get(self.PLACE, 0) for node in item.listchain()])
