"""Settings from environment variables, read once at each entry point and passed down."""

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import quote

from pydantic import Field, PositiveFloat, PositiveInt, SecretStr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from features.database import Limits

#: KServe's deployment modes: plain Deployments behind the Gateway API, or Knative's revisions.
Mode = Literal["Standard", "Knative"]


class Settings(BaseSettings):
    """Locations and backing services. Every field is an environment variable with the prefix `ADLOOP_`.

    By default all state is in one folder and no service is needed. The address of a service moves that part of the
    state there (`ADLOOP_REDIS_URL`, `ADLOOP_OFFLINE_URI=s3://…`, …).
    """

    model_config = SettingsConfigDict(env_prefix="ADLOOP_", frozen=True, extra="forbid")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments and the environment alone: to look for every field in a file and a folder that are never named took
        almost as long again."""
        return init_settings, env_settings

    home: Path = Path(".adloop")
    #: Online features and the state of decisions: SQLite under `home`, or Redis when this is set: `redis://host:port/0`,
    #: `redis+sentinel://host:port,…/service/0` or `redis+cluster://host:port,…` (`features/redis_address.py`).
    redis_url: str | None = None
    #: Offline features: Parquet under `home`, or an `s3://bucket/prefix`.
    offline_uri: str | None = None
    #: Progress of training, to outlive a lost pod: under `home` only, or copied to an `s3://bucket/prefix`.
    checkpoints_uri: str | None = None
    #: S3-compatible endpoint for `s3://` addresses; None means AWS.
    s3_endpoint_url: str | None = None
    #: MLflow tracking and registry; SQLite under `home` by default.
    mlflow_uri: str | None = None
    #: MLflow's artifact store; under `home` by default, an `s3://bucket/prefix` with a shared database.
    artifacts_uri: str | None = None
    #: PEM of the Ed25519 key that signs bundles; made under `home/keys` when absent.
    signing_key: SecretStr | None = None
    #: PEM of the public key, for servers that verify bundles but must not sign them.
    verify_key: str | None = None
    #: alibi-detect is licensed for non-production use only; `scipy` is the permissive set.
    detectors: Literal["alibi", "scipy"] = "alibi"
    #: DuckDB's memory limit and threads (default: one per core). Data beyond the limit spills to files under TMPDIR.
    memory_limit: Annotated[str, Field(pattern=r"^\d+(\.\d+)? ?([KMGT]i?B)$")] = "4GiB"
    threads: PositiveInt | None = None
    #: Compute features on this Spark cluster, not by DuckDB: `local[4]`, `spark://host:7077`, `k8s://https://…`
    #: (`features/spark.py`).
    spark_master: str | None = None
    #: Container image that a cluster runs pipeline steps in; a laptop runs them where it is.
    image: str = "adloop/trainer:0.1.0"
    #: Release through KServe's InferenceServices in this namespace, not through servers of our own; with this image,
    #: in this mode, which must be that of the cluster: either ignores the canary of the other.
    kserve_namespace: str | None = None
    server_image: str = "adloop/server:0.1.0"
    kserve_mode: Mode = "Standard"
    #: Port of `adloop serve` and of a local release.
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    #: Days that requests to models, their answers and outcomes are kept: monitors need them for a horizon at least.
    requests_days: PositiveFloat = 400.0
    #: Days that logged decisions are kept; all of them by default. Never fewer than their feedback is waited for
    #: (`decisions.keeping.remembered_s` in `params.yaml`); what is older cannot be replayed or learnt from any more.
    decisions_days: PositiveFloat | None = None
    #: Where finished parts of all records are copied to, to outlive the home: an `s3://bucket/prefix`.
    records_uri: str | None = None
    #: Hashes of the keys that models and decisions know; `keys/api.json` under `home` by default.
    api_keys: Path | None = None
    #: The key that adloop's own commands send; by default one that is made at `keys/own.key` under `home`.
    api_key: SecretStr | None = None
    #: `off`: predictions, values and explanations are for anybody who reaches the port. Decisions always need a key.
    inference_keys: Literal["required", "off"] = "required"
    #: Brokers of a Kafka bus (`host:port,…`), whose events the decision endpoint takes as it takes those told by HTTP.
    kafka_brokers: str | None = None
    #: The topic they are read from, and the one for messages that are no events.
    kafka_topic: str = "adloop.feedback"
    kafka_dead_letters: str = "adloop.feedback.dead"
    #: Endpoints of one home share a group and its partitions; those of another home need a group of their own.
    kafka_group: str = "adloop"
    #: File of further settings of librdkafka, a `name=value` a line: security.protocol, sasl.username, ssl.ca.location.
    kafka_config: Path | None = None
    #: The brand list of social listening; `listening/brands.yaml` under `home` by default.
    brands: Path | None = None

    #: Platforms whose variables point at stand-ins (`python -m tests.fakes`), parted by commas: `adloop run` ends by
    #: launching its simulated campaigns there. Never name a platform of a real account.
    stand_ins: str = ""

    #: An OpenAI-compatible endpoint that drafts copy (`https://host/v1`), its model and its key. By default a small
    #: model in the process drafts, where its packages are installed, else templates.
    drafter_url: str | None = None
    drafter_model: str = "default"
    drafter_key: SecretStr | None = None

    #: Pages and pictures of ads are looked at before a launch: at public addresses only, or at `any`, for those of this
    #: machine or of the own network.
    landing_pages: Literal["public", "any"] = "public"
    #: The folder or `s3://bucket/prefix` whose pictures URIs may name, besides files under `home`.
    images: str | None = None
    #: Where networks that look at pictures come from, in place of the installed packages: a folder, an
    #: `s3://bucket/prefix` or an `https://` address that has `<package>/<file>`, each with the hash that it has there.
    weights_uri: str | None = None

    #: What the assistant knows of the shop: `products/*.yaml` (product sheets) and `facts.yaml`; `shop` under `home` by
    #: default.
    shop: Path | None = None

    @property
    def limits(self) -> Limits:
        return Limits(self.memory_limit, self.threads)

    @property
    def tracking_uri(self) -> str:
        if self.mlflow_uri:
            return self.mlflow_uri
        place = (self.home / "mlflow.db").resolve()
        if not {"?", "%"}.intersection(str(place)):
            return f"sqlite:///{place}"
        # SQLAlchemy takes what follows a question mark for options, and decodes percent signs; where the driver is
        # named too, MLflow makes no folder of the encoded name.
        return f"sqlite+pysqlite:///{quote(str(place))}"

    @property
    def artifacts_root(self) -> str:
        return self.artifacts_uri or (self.home / "mlartifacts").resolve().as_uri()

    @property
    def offline_root(self) -> str:
        return self.offline_uri or str((self.home / "features").resolve())
