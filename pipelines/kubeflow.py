"""A connection to the API of Kubeflow Pipelines."""

import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kfp import Client
    from kfp_server_api import ApiException

EXPERIMENT = "adloop"
LOG_IN = "give --token-file or --cookie-file of an account that may start runs in the namespace"


@dataclass(frozen=True)
class Kubeflow:
    """An installation, and on whose behalf it is asked.

    Attributes:
        host: address of its API.
        namespace: of the runs; an installation for several users needs one.
        service_account: of the runs' pods, all of them: Kubeflow has no other for a step. Its default is the
            installation's.
        token, cookie: of an account that may start runs; where needed, one of them.
    """

    host: str
    namespace: str | None = None
    service_account: str | None = None
    token: str | None = None
    cookie: str | None = None

    @contextmanager
    def connected(self) -> Iterator[tuple["Client", str]]:
        """A client, and the id of the experiment of all runs.

        Raises `ConnectionError` if `host` is not there or not an API, and `ValueError` for what it refuses.
        """
        from kfp import Client
        from kfp_server_api import ApiException
        from urllib3.exceptions import HTTPError

        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", FutureWarning)  # at every start: servers before 2.0 are not spoken to
                client = Client(host=self.host, existing_token=self.token, cookies=self.cookie)
            experiment = client.create_experiment(EXPERIMENT, namespace=self.namespace).experiment_id
            if not experiment:
                raise ConnectionError(
                    f"{self.host} answers, but not as Kubeflow Pipelines does; if it is a page to log in, {LOG_IN}"
                )
            yield client, experiment
        except HTTPError as error:
            raise ConnectionError(f"no Kubeflow Pipelines at {self.host}: {error}") from error
        except ApiException as error:
            raise ValueError(f"{self.host} refused: {_reason(error)}; {self._mend(error.status)}") from error

    def _mend(self, status: int | None) -> str:
        if status in (401, 403):
            return LOG_IN
        if status == 400 and self.namespace is None:
            return "an installation for several users needs --namespace"
        return "check --host, --namespace and --service-account"


def _reason(error: "ApiException") -> str:
    """What the server said, without the trace that it adds."""
    try:
        said = json.loads(error.body or "")["message"]
    except (TypeError, ValueError, KeyError):
        said = error.reason
    return f"{said} ({error.status})"
