"""Envoy configuration as records of its v3 API."""

import re
from collections.abc import Mapping

from serving.released.split import Split
from serving.rollout import envoy_filters
from serving.rollout.envoy_filters import COURSE_HEADER, MODEL_HEADER, SERVICE, TYPE, VERSION_HEADER, Record

#: Bytes of one request; the model server has the same limit.
BODY_LIMIT = 8 * 1024 * 1024
#: A canary that has not answered by then is overtaken by the champion.
CANARY_TIMEOUT = "2s"
TIMEOUT = "30s"
#: By path beside the families, where it is another: a language model drafts a set part by part, checks of campaigns ask
#: pages and platforms, and a picture is cropped and compressed for each format.
TIMEOUTS: Mapping[str, str] = {"/v1/content/drafts": "300s", "/v1/campaigns/*": "300s", "/v1/images/*": "300s"}
#: Bytes of one request by path, where they are others: of a picture, and of a form around it.
BODY_LIMITS: Mapping[str, int] = {"/v1/images/*": 32 * 1024 * 1024}


def bootstrap(host: str, port: int, clusters: str, routes: str, attempts: str) -> Record:
    """One listener for REST and gRPC; clusters and routes from watched files; admin on loopback only."""
    manager = {
        "@type": f"{TYPE}extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "models",
        "generate_request_id": True,
        "preserve_external_request_id": True,
        "always_set_request_id_in_response": True,
        "http_protocol_options": {"accept_http_10": True, "default_host_for_http_10": "adloop"},
        "use_remote_address": True,
        "internal_address_config": {},  # trust no client as internal
        "early_header_mutation_extensions": envoy_filters.mutations(),
        "rds": {"route_config_name": "models", "config_source": _file(routes)},
        "http_filters": [
            {
                "name": "limit",
                "typed_config": {
                    "@type": f"{TYPE}extensions.filters.http.buffer.v3.Buffer",
                    "max_request_bytes": BODY_LIMIT,
                },
            },
            envoy_filters.grpc_model(),
            {
                "name": "router",
                "typed_config": {
                    "@type": f"{TYPE}extensions.filters.http.router.v3.Router",
                    "upstream_log": [_attempt_log(attempts)],
                },
            },
        ],
    }
    listener = {
        "name": "models",
        "address": _address(host, port),
        "enable_reuse_port": False,  # two Envoys must not share the port
        "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}],
    }
    return {
        "node": {"id": "adloop", "cluster": "adloop"},
        "admin": {"address": _address("127.0.0.1", 0)},
        "dynamic_resources": {"cds_config": _file(clusters)},
        "static_resources": {"listeners": [listener]},
    }


def cluster(name: str, ports: list[int], http2: bool) -> Record:
    """Loopback endpoints in order of priority: the canary's first, then its champion's."""
    endpoints = [
        {"priority": priority, "lb_endpoints": [{"endpoint": {"address": _address("127.0.0.1", port)}}]}
        for priority, port in enumerate(ports)
    ]
    record: Record = {
        "@type": f"{TYPE}config.cluster.v3.Cluster",
        "name": name,
        "type": "STATIC",
        "connect_timeout": "0.5s",
        "load_assignment": {"cluster_name": name, "endpoints": endpoints},
    }
    if http2:
        name = "extensions.upstreams.http.v3.HttpProtocolOptions"
        protocol = {"@type": TYPE + name, "explicit_http_config": {"http2_protocol_options": {}}}
        record["typed_extension_protocol_options"] = {f"envoy.{name}": protocol}
    return record


def cluster_name(family: str, version: str, role: str, protocol: str) -> str:
    """Name of the cluster of a version in its role (`champion` or `canary`)."""
    return f"{family}/{version}/{role}/{protocol}"


def routes(splits: dict[str, Split], extra_clusters: Mapping[str, str]) -> Record:
    """The routes of all families; each is tried for the canary by its percentage first, then for the champion.

    Args:
        extra_clusters: cluster by path outside the families; a trailing star matches a prefix. The first that matches
            is taken.
    """
    found = [route for family, split in sorted(splits.items()) for route in _family_routes(family, split)]
    found += [
        {
            "match": _beside(path),
            "route": {"cluster": name, "timeout": TIMEOUTS.get(path, TIMEOUT), "retry_policy": _again()},
            **_larger(path),
        }
        for path, name in extra_clusters.items()
    ]
    return {
        "@type": f"{TYPE}config.route.v3.RouteConfiguration",
        "name": "models",
        "virtual_hosts": [{"name": "models", "domains": ["*"], "routes": found}],
    }


def _family_routes(family: str, split: Split) -> list[Record]:
    rest = _rest(rf"/v1/models/{family}(:predict|:explain)?|/v2/models/{family}(/infer|/ready)?")
    named = {"name": MODEL_HEADER, "string_match": {"exact": family}}
    found = []
    for protocol, match in (("rest", rest), ("grpc", _grpc(named))):
        found += _pinned(family, split, protocol)
        if split.canary is not None and split.weight:
            share = {"default_value": {"numerator": split.weight, "denominator": "HUNDRED"}}
            name = cluster_name(family, split.canary, "canary", protocol)
            route = {"cluster": name, "timeout": TIMEOUT, "retry_policy": _to_champion()}
            found.append(_marked(family, split, {"match": {**match, "runtime_fraction": share}, "route": route}))
        name = cluster_name(family, split.champion, "champion", protocol)
        champion = {"cluster": name, "timeout": TIMEOUT, "retry_policy": _again()}
        found.append(_marked(family, split, {"match": match, "route": champion}))
    return found


def _pinned(family: str, split: Split, protocol: str) -> list[Record]:
    """Requests for a named version take no part in the split: the canary gets its own, the champion all others, and
    refuses unknown versions."""
    found = []
    for version, role in ((split.canary, "canary"), (split.champion, "champion")):
        if version is None:
            continue
        asked = re.escape(version) if role == "canary" else "[^/]+"
        if protocol == "rest":
            match = _rest(rf"/v2/models/{family}/versions/{asked}(/infer|/ready)?")
        else:
            condition: Record = {"string_match": {"exact": version}} if role == "canary" else {"present_match": True}
            named = {"name": MODEL_HEADER, "string_match": {"exact": family}}
            match = _grpc(named, {"name": VERSION_HEADER, **condition})
        name = cluster_name(family, version, role, protocol)
        found.append({"match": match, "route": {"cluster": name, "timeout": TIMEOUT, "retry_policy": _again()}})
    return found


def _marked(family: str, split: Split, route: Record) -> Record:
    """The route, with requests of a release marked by a header."""
    if split.canary is None:
        return route
    mark = {"header": {"key": COURSE_HEADER, "value": family}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
    return {**route, "request_headers_to_add": [mark]}


def _larger(path: str) -> Record:
    """Another limit of the buffer, for paths that have one."""
    if path not in BODY_LIMITS:
        return {}
    kind = f"{TYPE}extensions.filters.http.buffer.v3.BufferPerRoute"
    return {"typed_per_filter_config": {"limit": {"@type": kind, "buffer": {"max_request_bytes": BODY_LIMITS[path]}}}}


def _beside(path: str) -> Record:
    return {"prefix": path[:-1]} if path.endswith("*") else {"path": path}


def _rest(pattern: str) -> Record:
    return {"safe_regex": {"regex": pattern}}


def _grpc(*headers: Record) -> Record:
    """Routes of inference and metadata; state-changing methods are excluded."""
    methods = "|".join(("ModelInfer", "ModelReady", "ModelMetadata"))
    return {"safe_regex": {"regex": rf"{re.escape(SERVICE)}({methods})"}, "headers": list(headers)}


def _to_champion() -> Record:
    """Retry any canary failure, including refusals, on the champion."""
    return {
        "retry_on": "5xx,reset,connect-failure,refused-stream,retriable-4xx,retriable-status-codes,"
        "cancelled,deadline-exceeded,internal,resource-exhausted,unavailable",
        "retriable_status_codes": [400, 401, 403, 404, 408, 409, 413, 415, 422, 429],
        "num_retries": 1,
        "per_try_timeout": CANARY_TIMEOUT,
        "retry_back_off": {"base_interval": "0.001s", "max_interval": "0.002s"},
        "retry_priority": {
            "name": "envoy.retry_priorities.previous_priorities",
            "typed_config": {
                "@type": f"{TYPE}extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig",
                "update_frequency": 1,
            },
        },
    }


def _again() -> Record:
    """Retry broken connections; requests are idempotent."""
    return {"retry_on": "reset,connect-failure,refused-stream", "num_retries": 2}


def _attempt_log(path: str) -> Record:
    """Log one JSON line per upstream attempt of a release; the access log would hide failed first tries."""
    fields = {
        "at": "%START_TIME(%s.%6f)%",
        "id": "%REQ(X-REQUEST-ID)%",
        "family": f"%REQ({COURSE_HEADER})%",
        "cluster": "%UPSTREAM_CLUSTER%",
        "host": "%UPSTREAM_HOST%",
        "code": "%RESPONSE_CODE%",
        "flags": "%RESPONSE_FLAGS%",
        "grpc": "%GRPC_STATUS_NUMBER%",
        "us": "%COMMON_DURATION(US_TX_BEG:US_RX_END:us)%",
        "ms": "%DURATION%",
    }
    return {
        "name": "attempts",
        "filter": {"header_filter": {"header": {"name": COURSE_HEADER, "present_match": True}}},
        "typed_config": {
            "@type": f"{TYPE}extensions.access_loggers.file.v3.FileAccessLog",
            "path": path,
            "log_format": {"json_format": fields},
        },
    }


def _address(host: str, port: int) -> Record:
    return {"socket_address": {"address": host, "port_value": port}}


def _file(path: str) -> Record:
    return {"path_config_source": {"path": path}, "resource_api_version": "V3"}
