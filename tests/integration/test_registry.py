"""The registry on a real MLflow in SQLite: what happens once, twice, at once, and when it is killed anywhere."""

import json
import os
import shutil
from dataclasses import asdict
from pathlib import Path

import pytest
import small
import toyland
from mlflow import MlflowClient
from mlflow.artifacts import download_artifacts
from mlflow.exceptions import MlflowException

from components.gate.step import gate
from components.monitor.step import monitor
from components.register.step import register
from components.train.step import train
from features.settings import Settings
from models import bundle, keys, own_store
from models.bundle import BundleTampered, open_bundle
from models.registry import Registry


@pytest.fixture(scope="module")
def judged(registry_home, tmp_path_factory):
    """A trained bundle with its evaluation, another one, and a home whose database is laid out."""
    with pytest.MonkeyPatch.context() as patch:
        toyland.add(patch)
        root = tmp_path_factory.mktemp("judged")
        settings = Settings(home=shutil.copytree(registry_home, root / "home"))
        features = toyland.write(root / "features")
        for name, penalty in (("first", 10.0), ("second", 20.0)):
            section = {**toyland.SECTION, "penalty": penalty}
            train(features, "toy", section, root / "checkpoint", root / name / "bundle")
            gate(features, root / name / "bundle", "toy", section, ["age"], settings, root / name / "evaluation")
        keys.signing_key(settings)
    return root


@pytest.fixture
def home(judged, tmp_path, toy):
    shutil.copytree(judged / "home", tmp_path / "home")
    return Settings(home=tmp_path / "home")


def put(judged: Path, settings: Settings, name: str = "first"):
    return register(judged / name / "bundle", judged / name / "evaluation", settings)


def runs(settings: Settings):
    client = MlflowClient(tracking_uri=settings.tracking_uri)
    return client.search_runs([experiment.experiment_id for experiment in client.search_experiments()])


def test_a_registered_model_can_be_traced_verified_and_opened(judged, home):
    done = put(judged, home)
    assert (done.version, done.status, done.reason) == ("1", "accepted", "")
    registry = Registry(home)
    version = registry.challenger("toy")
    assert version is not None and registry.champion("toy") is None
    assert set(version.tags) >= {"git_commit", "data_hash", "params_hash", "schema_hash", "feature_service"}
    assert version.tags["data_hash"] == "made" and version.tags["feature_service"] == "toy_v1"
    opened = open_bundle(registry.download("toy", "1"), keys.public_key(home))
    assert opened.manifest.metrics["auc"] > 0.6
    assert (opened.folder / "card.md").read_text().startswith("# Model card: toy")
    (run,) = runs(home)
    assert run.info.status == "FINISHED"
    assert run.data.metrics["auc"] == opened.manifest.metrics["auc"] and run.data.params["penalty"] == "10.0"
    logged = MlflowClient(tracking_uri=home.tracking_uri).list_artifacts(run.info.run_id, "evaluation/plots")
    assert {Path(file.path).name for file in logged} == {"calibration.png", "gain.png"}


def test_a_model_nobody_asked_anything_yet_is_neither_steady_nor_drifting(judged, home):
    Registry(home).promote("toy", put(judged, home).version)
    done = monitor("toy", small.params()["monitoring"], home)
    assert (done.version, done.drifted) == ("1", None)
    assert json.loads((home.home / "monitoring" / "toy.json").read_text()) == asdict(done)


def test_the_same_bundle_again_is_the_same_version(judged, home):
    assert put(judged, home) == put(judged, home)
    assert len(Registry(home).versions("toy")) == len(runs(home)) == 1


def test_versions_take_turns(judged, home):
    registry = Registry(home)
    for name in ("first", "second"):
        version = put(judged, home, name).version
        assert registry.challenger("toy").version == version
        registry.promote("toy", version)
        assert registry.challenger("toy") is None and registry.champion("toy").version == version
    assert registry.previous("toy").version == "1"
    assert registry.promote("toy", "2").aliases == ("champion",)  # again changes nothing
    registry.promote("toy", "1")
    rejected = registry.reject("toy", "2", "errors rose")
    assert (rejected.status, rejected.reason, rejected.aliases) == ("rejected", "errors rose", ())
    assert put(judged, home, "second").status == "rejected"  # what was rolled back stays so
    assert registry.challenger("toy") is None
    with pytest.raises(ValueError, match="is the champion"):
        registry.reject("toy", "1", "no")


def test_versions_read_without_mlflow_are_those_that_it_tells(judged, home, tmp_path):
    for name in ("first", "second"):
        Registry(home).promote("toy", put(judged, home, name).version)
    client = MlflowClient(tracking_uri=home.tracking_uri)
    alias_of = {str(version): alias for alias, version in client.get_registered_model("toy").aliases.items()}
    theirs = [
        (str(row.version), row.run_id, row.tags, (alias_of[str(row.version)],))
        for row in client.search_model_versions("name='toy'")
    ]
    rows = own_store.versions(home, "toy")
    read = [(str(row.version), row.run_id, row.tags, row.aliases) for row in rows]
    assert sorted(read, key=str) == sorted(theirs, key=str) and len(read) == 2
    client.delete_model_version("toy", "1")
    assert [row.version for row in own_store.versions(home, "toy")] == [2]
    assert own_store.versions(Settings(home=tmp_path / "new"), "toy") == [] and not (tmp_path / "new").exists()
    assert own_store.versions(home.model_copy(update={"mlflow_uri": "http://elsewhere"}), "toy") is None
    (home.home / "mlflow.db").write_bytes(b"")
    assert own_store.versions(home, "toy") is None, "MLflow lays it out"


def test_files_are_fetched_without_mlflow_and_are_those_that_it_tells(judged, home):
    put(judged, home)
    registry, (run,) = Registry(home), runs(home)
    registry.__dict__["_client"] = None  # whoever asks it fails
    told = Path(download_artifacts(run_id=run.info.run_id, tracking_uri=home.tracking_uri))
    for _ in range(2):
        fetched = {"evaluation": registry.evaluation("toy", "1"), "bundle": registry.download("toy", "1")}
        for part, folder in fetched.items():
            assert content(folder) == content(told / part) and content(folder)
    with pytest.raises(LookupError, match="toy"):
        registry.evaluation("toy", "9")


def content(folder):
    """The bytes of each file below a folder."""
    return {file.relative_to(folder): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@pytest.mark.parametrize("lacks", ["files", "database", "own"])
def test_files_that_are_not_in_the_home_are_mlflows_to_fetch(judged, home, lacks):
    put(judged, home)
    (run,) = runs(home)
    assert own_store.artifacts(home, run.info.run_id).is_dir() and own_store.artifacts(home, "nobody") is None
    if lacks == "files":
        shutil.rmtree(home.home / "mlartifacts")
    elif lacks == "database":
        (home.home / "mlflow.db").write_bytes(b"")
    else:
        home = home.model_copy(update={"artifacts_uri": "s3://elsewhere"})
    assert own_store.artifacts(home, run.info.run_id) is None


def test_a_bundle_that_is_gone_is_no_damaged_one(judged, home):
    put(judged, home)
    (bundle,) = home.home.glob("mlartifacts/**/bundle")
    shutil.rmtree(bundle)
    with pytest.raises(MlflowException, match="No such artifact: 'bundle'"):
        Registry(home).download("toy", "1")
    assert not list(home.home.glob("bundles/toy/*"))


def test_a_refused_model_is_registered_with_the_reason_and_challenges_nobody(judged, home, tmp_path):
    refused = shutil.copytree(judged / "first" / "evaluation", tmp_path / "evaluation")
    said = json.loads((refused / "evaluation.json").read_text())
    said["passed"] = said["gates"][0]["passed"] = False
    (refused / "evaluation.json").write_text(json.dumps(said))
    done = register(judged / "first" / "bundle", refused, home)
    assert done.status == "rejected" and done.reason.startswith("no_leak: ")
    assert Registry(home).challenger("toy") is None
    assert put(judged, home).status == "accepted"  # judged anew it is another version
    assert Registry(home).challenger("toy").version == "2"


def test_an_evaluation_of_another_bundle_is_refused(judged, home):
    with pytest.raises(ValueError, match="about another bundle"):
        register(judged / "first" / "bundle", judged / "second" / "evaluation", home)
    assert Registry(home).versions("toy") == []


def test_a_version_that_is_not_there_is_named(judged, home):
    put(judged, home)
    with pytest.raises(LookupError, match="toy has no version 7; there are: 1"):
        Registry(home).download("toy", "7")


def test_a_bundle_changed_in_the_registry_is_refused(judged, home):
    put(judged, home)
    (weights,) = home.home.glob("mlartifacts/**/toy.json")
    weights.write_text(weights.read_text().replace("1", "2"))
    with pytest.raises(BundleTampered, match=r"model/toy\.json"):
        Registry(home).download("toy", "1")


def two_versions(judged, home):
    registry = Registry(home)
    for name in ("first", "second"):
        put(judged, home, name)
    return registry, registry.download("toy", "1"), registry.download("toy", "2")


def test_an_older_bundle_in_the_place_of_a_newer_one_is_refused(judged, home):
    registry, older, newer = two_versions(judged, home)
    shutil.rmtree(newer)
    shutil.copytree(older, newer)
    with pytest.raises(BundleTampered, match="expected toy 2, got toy 1"):
        registry.download("toy", "2")


def test_an_older_bundle_in_the_place_of_a_newer_one_in_the_registry_is_refused_and_not_kept(judged, home):
    registry, older, newer = two_versions(judged, home)
    shutil.rmtree(newer)
    source = Path(registry.address("toy", "2").removeprefix("file://"))
    shutil.rmtree(source)
    shutil.copytree(older, source)
    with pytest.raises(BundleTampered, match="expected toy 2, got toy 1"):
        registry.download("toy", "2")
    assert not newer.exists()


def test_a_signed_bundle_that_the_registry_does_not_know_is_refused(judged, home):
    registry, older, newer = two_versions(judged, home)
    shutil.rmtree(newer)
    shutil.copytree(older, newer)
    bundle.sign(newer, keys.signing_key(home), "2")
    with pytest.raises(BundleTampered, match="not the bundle that the registry knows as toy 2"):
        registry.download("toy", "2")


CALLS = (
    "create_experiment",
    "create_run",
    "log_batch",
    "log_artifacts",
    "create_registered_model",
    "create_model_version",
    "log_text",
    "set_terminated",
    "set_registered_model_alias",
)


@pytest.mark.parametrize("call", CALLS)
def test_killed_anywhere_and_run_again_it_is_registered_once(judged, home, call, monkeypatch):
    def cut_off():
        monkeypatch.setattr(MlflowClient, call, toyland.kill_after(getattr(MlflowClient, call)))
        put(judged, home)

    toyland.killed(cut_off)
    done = put(judged, home)
    assert (done.version, done.status) == ("1", "accepted")
    registry = Registry(home)
    assert [version.version for version in registry.versions("toy")] == ["1"]
    assert registry.challenger("toy").version == "1"
    assert [run.info.status for run in runs(home)] == ["FINISHED"]
    open_bundle(registry.download("toy", "1"), keys.public_key(home))


@pytest.mark.parametrize(
    "call", ["set_registered_model_alias", "set_model_version_tag", "delete_registered_model_alias"]
)
def test_killed_while_promoting_and_run_again_it_is_the_champion(judged, home, call, monkeypatch):
    put(judged, home)

    def cut_off():
        monkeypatch.setattr(MlflowClient, call, toyland.kill_after(getattr(MlflowClient, call)))
        Registry(home).promote("toy", "1")

    toyland.killed(cut_off)
    promoted = Registry(home).promote("toy", "1")
    assert (promoted.status, promoted.aliases) == ("released", ("champion",))


def test_two_at_once_register_one_version_of_one_bundle(judged, home):
    children = []
    for _ in range(3):
        child = os.fork()
        if child == 0:
            code = 1
            try:
                code = int(put(judged, home).version != "1")
            finally:
                os._exit(code)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0, 0]
    assert len(Registry(home).versions("toy")) == len(runs(home)) == 1


def test_weights_and_biases_gets_the_same_figures_when_asked(judged, home, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "offline")
    put(judged, home)
    (record,) = home.home.glob("wandb/offline-run-*/run-*.wandb")
    assert record.name.startswith("run-toy-") and b"brier" in record.read_bytes()


def test_weights_and_biases_is_left_alone_when_not_asked(judged, home, monkeypatch):
    for name in [name for name in os.environ if name.startswith("WANDB_")]:
        monkeypatch.delenv(name)
    put(judged, home)
    assert not (home.home / "wandb").exists()
