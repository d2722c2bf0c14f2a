"""The model registry: versions, aliases and lineage in MLflow, with signed bundles.

Registering is idempotent: a version is created by one call after its files are stored, and an interrupted attempt is
found by the bundle's digest and completed.
"""

import importlib
import json
import logging
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from features.privacy import stay_private
from features.settings import Settings
from models import bundle, keys, own_store, tracking
from models.bundle import BundleTampered, Manifest

if TYPE_CHECKING:
    from mlflow import MlflowClient

ACCEPTED, REJECTED, RELEASED = "accepted", "rejected", "released"
#: Tag with the digest of the signed bundle, including its model card.
SIGNED_DIGEST = "signed_digest"


@dataclass(frozen=True)
class Version:
    """A registered model.

    Attributes:
        status: `accepted` by the gates, `rejected` by a gate or release, or `released`.
        reason: why it was rejected; empty otherwise.
        aliases: `challenger` (newest accepted, waiting for release), `champion` (in service), `previous` (the champion
            before, for rollback).
        tags: git commit, data, params and schema hashes, feature service, bundle digest.
    """

    family: str
    version: str
    status: str
    reason: str
    aliases: tuple[str, ...]
    tags: Mapping[str, str]
    run_id: str

    @property
    def digest(self) -> str:
        """Identity of the bundle as it was trained."""
        return self.tags["bundle_digest"]


def load() -> None:
    """Import what opening a registry in a home imports, which takes seconds: for a process whose forks open one."""
    stay_private()
    importlib.import_module("mlflow.store.tracking.sqlalchemy_store")
    importlib.import_module("mlflow.store.model_registry.sqlalchemy_store")


class Registry:
    """The registry of `settings`, opened lazily."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        # The kernel frees this lock when its holder dies, so none is ever left behind.
        self._lock = FileLock(settings.home / "registry.lock")

    @cached_property
    def _client(self) -> "MlflowClient":
        stay_private()  # MLflow reads its pickle switch when it is imported
        os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")  # copying five files needs none
        if self._settings.s3_endpoint_url is not None:  # MLflow reads artifacts by a client of its own
            os.environ.setdefault("MLFLOW_S3_ENDPOINT_URL", self._settings.s3_endpoint_url)
        logging.getLogger("alembic").setLevel(logging.WARNING)
        from models.lean_mlflow import MlflowClient

        logging.getLogger("mlflow").setLevel(logging.WARNING)
        self._settings.home.mkdir(parents=True, exist_ok=True)
        uri = self._settings.tracking_uri
        with self._lock:  # two concurrent first uses would both create the database
            own_store.check(self._settings)
            client = MlflowClient(tracking_uri=uri, registry_uri=uri)
            client.search_registered_models(max_results=1)
            own_store.follow(self._settings)
            own_store.tidy(self._settings)
        return client

    def versions(self, family: str) -> list[Version]:
        """All of a family's versions, newest first; empty where it has none."""
        found: Sequence[Any] | None = own_store.versions(self._settings, family)
        if found is not None:
            read = [_read(row, {str(row.version): row.aliases}) for row in found]
        else:
            found = self._client.search_model_versions(f"name='{family}'")
            # A search does not fill in aliases; the registered model carries them.
            aliases = self._aliases(family) if found else {}
            read = [_read(version, aliases) for version in found]
        return sorted(read, key=lambda version: int(version.version), reverse=True)

    def version(self, family: str, version: str) -> Version:
        """One version. Raises `LookupError` with the known ones."""
        there = self.versions(family)
        for found in there:
            if found.version == str(version):
                return found
        known = ", ".join(found.version for found in there) or "none"
        raise LookupError(f"{family} has no version {version}; there are: {known}")

    def champion(self, family: str) -> Version | None:
        """The version in service."""
        return self._by_alias(family, "champion")

    def challenger(self, family: str) -> Version | None:
        """The newest accepted version that waits for release."""
        return self._by_alias(family, "challenger")

    def previous(self, family: str) -> Version | None:
        """The champion before this one."""
        return self._by_alias(family, "previous")

    def promote(self, family: str, version: str) -> Version:
        """Make `version` the champion. Idempotent."""
        with self._lock:
            promoted, champion = self.version(family, version), self.champion(family)
            if champion is not None and champion.version != promoted.version:
                self._client.set_registered_model_alias(family, "previous", champion.version)
            self._client.set_registered_model_alias(family, "champion", promoted.version)
            self._decide(promoted, RELEASED, "")
        return self.version(family, version)

    def reject(self, family: str, version: str, reason: str) -> Version:
        """Mark `version` rejected, with the reason. The champion cannot be rejected, only replaced."""
        with self._lock:
            rejected = self.version(family, version)
            if "champion" in rejected.aliases:
                raise ValueError(f"{family} {version} is the champion: promote another version before rejecting it")
            self._decide(rejected, REJECTED, reason)
        return self.version(family, version)

    def register(self, trained: Path, evaluation: Path) -> Version:
        """Sign a trained bundle with its evaluation and register it as a version.

        Args:
            trained: unsigned bundle.
            evaluation: output folder of the gate step for this bundle.

        The same bundle and verdict return the existing version. Raises `BundleTampered`, and `ValueError` where the
        evaluation is of another bundle.
        """
        digest = bundle.verify(trained, None)
        judged = json.loads((evaluation / "evaluation.json").read_text())
        if judged["bundle_digest"] != digest:
            raise ValueError(f"{evaluation} is about another bundle than {trained}: gate it first")
        manifest = Manifest.model_validate_json((trained / "manifest.json").read_bytes())
        with self._lock:
            version = self._registered(manifest.family, digest, judged["passed"])
            if version is None:
                tags = _tags(manifest, digest, judged)
                run_id, signed = tracking.record(self._client, self._settings, trained, evaluation, tags)
                version = self._make(manifest.family, run_id, {**tags, SIGNED_DIGEST: signed})
            self._sign(version)
            self._challenge(version)
        return self.version(version.family, version.version)

    def download(self, family: str, version: str) -> Path:
        """Download the bundle of `version` to the home. Raises `BundleTampered` unless it is signed as that version."""
        registered = self.version(family, version)
        folder = self._settings.home / "bundles" / family / registered.version
        with self._lock:
            if not folder.exists():
                self._fetch(registered, "bundle", folder, partial(self._verify, registered))
        try:
            self._verify(registered, folder)
        except BundleTampered as tampered:
            raise BundleTampered(f"{tampered}; remove {folder} to fetch it again") from tampered
        return folder

    def evaluation(self, family: str, version: str) -> Path:
        """Download the evaluation of `version` to the home."""
        registered = self.version(family, version)
        folder = self._settings.home / "evaluations" / family / str(version)
        with self._lock:
            if not folder.exists():
                self._fetch(registered, "evaluation", folder)
        return folder

    def address(self, family: str, version: str) -> str:
        """URI of the signed bundle of `version`, for servers that fetch it themselves."""
        return own_store.here(str(self._client.get_model_version_download_uri(family, version)), self._settings)

    def _verify(self, version: Version, folder: Path) -> None:
        digest = bundle.verify(folder, keys.public_key(self._settings), version.family, version.version)
        if digest != version.tags[SIGNED_DIGEST]:
            whose = f"{version.family} {version.version}"
            raise BundleTampered(f"{folder.name}: not the bundle that the registry knows as {whose}")

    def _fetch(self, version: Version, part: str, folder: Path, check: Callable[[Path], None] = lambda _: None) -> None:
        """Copy a folder of the version's files atomically; discards it if `check` raises."""
        own = own_store.artifacts(self._settings, version.run_id)
        with bundle.aside(folder) as new:
            if own is None or not (own / part).is_dir():
                self._download(version, part, new)
            else:
                shutil.copytree(own / part, new, copy_function=shutil.copyfile, dirs_exist_ok=True)
            check(new)

    def _download(self, version: Version, part: str, folder: Path) -> None:
        from mlflow.artifacts import download_artifacts

        run = self._client.get_run(version.run_id)
        source = own_store.here(f"{run.info.artifact_uri}/{part}", self._settings)
        fetched = download_artifacts(
            artifact_uri=source, dst_path=str(folder / "fetched"), tracking_uri=self._settings.tracking_uri
        )
        for path in Path(fetched).iterdir():
            shutil.move(path, folder / path.name)
        shutil.rmtree(folder / "fetched")

    def _aliases(self, family: str) -> dict[str, list[str]]:
        of_version: dict[str, list[str]] = {}
        for alias, version in self._client.get_registered_model(family).aliases.items():
            of_version.setdefault(str(version), []).append(alias)
        return of_version

    def _by_alias(self, family: str, alias: str) -> Version | None:
        return next((version for version in self.versions(family) if alias in version.aliases), None)

    def _registered(self, family: str, digest: str, passed: bool) -> Version | None:
        verdict = ACCEPTED if passed else REJECTED
        known = (v for v in self.versions(family) if SIGNED_DIGEST in v.tags)
        same = (v for v in known if v.digest == digest and v.tags["verdict"] == verdict)
        return next(same, None)

    def _make(self, family: str, run_id: str, tags: Mapping[str, str]) -> Version:
        if not self._client.search_registered_models(f"name='{family}'"):
            self._client.create_registered_model(family)
        source = f"{self._client.get_run(run_id).info.artifact_uri}/bundle"
        made = self._client.create_model_version(family, source, run_id, tags=dict(tags))
        return _read(made, {})

    def _sign(self, version: Version) -> None:
        """Sign the bundle with its new version number."""
        key, digest = keys.signing_key(self._settings), version.tags[SIGNED_DIGEST]
        content = bundle.signature(key, version.family, version.version, digest)
        self._client.log_text(version.run_id, content, f"bundle/{bundle.SIGNATURE}")

    def _challenge(self, version: Version) -> None:
        """Close the run; make an accepted version the challenger unless it or a newer one was released or rejected."""
        self._client.set_terminated(version.run_id)
        challenger = self.challenger(version.family)
        newest = challenger is None or int(challenger.version) < int(version.version)
        if version.status == ACCEPTED and newest:
            self._client.set_registered_model_alias(version.family, "challenger", version.version)

    def _decide(self, version: Version, status: str, reason: str) -> None:
        for key, value in {"reason": reason, "status": status}.items():
            self._client.set_model_version_tag(version.family, version.version, key, value)
        spent = {"challenger"} if status == RELEASED else {"challenger", "previous"}
        for alias in spent.intersection(version.aliases):
            self._client.delete_registered_model_alias(version.family, alias)


def _read(version: Any, aliases: Mapping[str, Sequence[str]]) -> Version:
    tags, number = dict(version.tags), str(version.version)
    return Version(
        family=version.name,
        version=number,
        status=tags.pop("status"),
        reason=tags.pop("reason"),
        aliases=tuple(sorted(aliases.get(number, ()))),
        tags=tags,
        run_id=version.run_id,
    )


def _tags(manifest: Manifest, digest: str, judged: dict[str, Any]) -> dict[str, str]:
    status = ACCEPTED if judged["passed"] else REJECTED
    refused = "; ".join(f"{gate['gate']}: {gate['reason']}" for gate in judged["gates"] if not gate["passed"])
    return {
        "status": status,
        "verdict": status,  # the verdict at registration, unchanged by later releases
        "reason": refused[:5000],
        "bundle_digest": digest,
        "git_commit": manifest.git_commit,
        "data_hash": manifest.data_hash,
        "params_hash": manifest.params_hash,
        "schema_hash": manifest.schema_hash,
        "feature_service": manifest.feature_service or "none",
    }
