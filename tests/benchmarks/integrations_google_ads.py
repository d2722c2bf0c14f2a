"""How many mutates a second reach Google Ads' fake through the ledger, beside plain loops of Google's client.

All add the same keywords and then change their bids. The ledger writes down what it intends, looks for each keyword
before it is sent and reads it back afterwards; the loops send and believe the answer. One loop sends a mutate a call,
the other as many a call as adloop. The fake is a process of its own, fresh for each round. Seconds are the processor
time of writer and fake together, so that other programs on the machine do not count: waiting for a real network, which
one mutate a call does most, is left out.
"""

import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from time import process_time
from typing import Any
from unittest.mock import patch

import grpc
import numpy as np
import psutil
from google.ads.googleads.client import GoogleAdsClient
from google.ads.googleads.interceptors import ExceptionInterceptor, MetadataInterceptor

from features.settings import Settings
from serving.integrations.apply import apply
from serving.integrations.change import Change, to_json
from serving.integrations.google_ads.account import GoogleAdsAccount, connected
from serving.integrations.ledger import WriteLedger
from tests.benchmarks.rows import spread
from tests.fakes.google_ads import change, environment
from tests.fakes.google_ads.state import CUSTOMER

#: Keywords of a round, each added and then given another bid; rounds; seed of the bids.
KEYWORDS, ROUNDS, SEED = 1000, 5, 7
#: That the fake prints.
VARIABLES = len(environment("- -"))
Writer = Callable[[GoogleAdsAccount, Sequence[Change], Sequence[Change], str], None]


def rows(_: Settings) -> Iterator[dict[str, Any]]:
    rates: dict[Writer, list[float]] = {by_ledger: [], one_a_call: [], batched: []}
    for number in range(ROUNDS):
        with fake() as (account, process):
            for writer in np.roll(np.array(list(rates), dtype=object), number):
                rates[writer].append(2 * KEYWORDS / seconds(account, process, writer, f"{number} {writer.__name__}"))
    said = "".join(to_json(one) for pair in changes("0", "21") for one in pair)
    mine = spread(rates[by_ledger])[0]
    for name, other, goal, loop in (
        ("mutates_per_s", one_a_call, ">= .8", "a mutate a call"),
        ("mutates_per_s.vs_batched", batched, "", f"{KEYWORDS} mutates a call"),
    ):
        value, low, high = spread(np.array(rates[by_ledger]) / np.array(rates[other]))
        theirs = spread(rates[other])[0]
        yield {
            "name": f"integrations.google_ads.{name}",
            **{"value": value, "low": low, "high": high, "baseline": 1.0, "goal": goal, "seed": SEED},
            "unit": f"times the client's loop of {loop}, {mine:,.0f} beside {theirs:,.0f} mutates/s of processor time;"
            f" interval: 10-90% quantiles of {ROUNDS} rounds of {2 * KEYWORDS}",
            "data_hash": hashlib.sha256(said.encode()).hexdigest()[:12],
        }


@contextmanager
def fake() -> Iterator[tuple[GoogleAdsAccount, psutil.Process]]:
    """An account of a fresh fake, and the fake's process."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.fakes", "google_ads"], stdout=subprocess.PIPE, text=True
    ) as ran:
        try:
            assert ran.stdout is not None
            exports = (line.removeprefix("export ").strip() for line in ran.stdout if line.startswith("export "))
            said = dict(one.split("=", 1) for one in islice(exports, VARIABLES))
            with patch.dict(os.environ, {name: value.strip("'") for name, value in said.items()}):
                account = connected()
            account.connect()
            yield account, psutil.Process(ran.pid)
            account.close()
        finally:
            ran.kill()


def seconds(account: GoogleAdsAccount, process: psutil.Process, writer: Writer, name: str) -> float:
    """Processor time of a writer and the fake for the keywords of an ad group of its own."""
    [made] = account.send([change(name, "ad_group", {"name": name}, parent="11")])
    added, changed = changes(name, made.object_id)
    begun = process_time() + sum(process.cpu_times()[:2])
    writer(account, added, changed, made.object_id)
    taken = process_time() + sum(process.cpu_times()[:2]) - begun
    shown = account.objects("keyword")
    there = {one.fields["bid"] for one in shown if one.parent == made.object_id}
    assert there == {one.fields["bid"] for one in changed}, f"{name}: not all was written"
    return taken


def changes(name: str, group: str) -> tuple[list[Change], list[Change]]:
    """Keywords to add, and the bids that they are given afterwards; their targets are the changes that add them."""
    rng = np.random.default_rng(SEED)
    bids = (rng.integers(10, 400, (2, KEYWORDS)) + np.arange(KEYWORDS)) / 100
    texts = [f"shoes {place} {rng.integers(10**6)}" for place in range(KEYWORDS)]
    added = [
        change(f"{name} add {place}", "keyword", {"keyword": text, "match": "exact", "bid": float(bid)}, parent=group)
        for place, (text, bid) in enumerate(zip(texts, bids[0], strict=True))
    ]
    changed = [
        change(f"{name} bid {place}", "keyword", {"bid": float(bid)}, target=f"change:{added[place].change_id}")
        for place, bid in enumerate(bids[1])
    ]
    return added, changed


def by_ledger(account: GoogleAdsAccount, added: Sequence[Change], changed: Sequence[Change], _: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        ledger = WriteLedger(Path(folder) / "ledger.db")
        ledger.intend([*added, *changed], 0.0)
        apply(account, ledger)
        ledger.close()


def one_a_call(account: GoogleAdsAccount, added: Sequence[Change], changed: Sequence[Change], group: str) -> None:
    loop(account, added, changed, group, 1)


def batched(account: GoogleAdsAccount, added: Sequence[Change], changed: Sequence[Change], group: str) -> None:
    loop(account, added, changed, group, KEYWORDS)


def loop(account: GoogleAdsAccount, added: Sequence[Change], changed: Sequence[Change], group: str, size: int) -> None:
    """Google's client, as its guides use it, over a channel without TLS as adloop's here."""
    said, version = account.credentials, account.credentials.version
    token = said.developer_token.get_secret_value()
    client = GoogleAdsClient(None, token, version=version, use_proto_plus=True)
    with grpc.insecure_channel(said.endpoint.removeprefix("http://")) as channel:
        service = _service(
            grpc.intercept_channel(channel, MetadataInterceptor(token), ExceptionInterceptor(version, True))
        )
        login = dict(account.connection.metadata())["authorization"]
        owner = f"customers/{CUSTOMER}/adGroups/{group}"
        names = _sent(client, service, [_addition(client, owner, one) for one in added], login, size)
        _sent(client, service, [_bid(client, name, one) for name, one in zip(names, changed, strict=True)], login, size)


def _service(channel: Any) -> Any:
    from google.ads.googleads.v26.services.services.ad_group_criterion_service import AdGroupCriterionServiceClient

    return AdGroupCriterionServiceClient(
        transport=AdGroupCriterionServiceClient.get_transport_class("grpc")(channel=channel)
    )


def _sent(client: Any, service: Any, operations: Sequence[Any], login: str, size: int) -> list[str]:
    names = list[str]()
    for begin in range(0, len(operations), size):
        request = client.get_type("MutateAdGroupCriteriaRequest")
        request.customer_id, request.operations = CUSTOMER, operations[begin : begin + size]
        answer = service.mutate_ad_group_criteria(request=request, metadata=[("authorization", login)])
        names += [one.resource_name for one in answer.results]
    return names


def _addition(client: Any, group: str, one: Change) -> Any:
    operation = client.get_type("AdGroupCriterionOperation")
    criterion = operation.create
    criterion.ad_group = group
    criterion.keyword.text = one.fields["keyword"]
    criterion.keyword.match_type = client.enums.KeywordMatchTypeEnum.EXACT
    criterion.cpc_bid_micros = round(one.fields["bid"] * 1_000_000)
    return operation


def _bid(client: Any, name: str, one: Change) -> Any:
    operation = client.get_type("AdGroupCriterionOperation")
    operation.update.resource_name = name
    operation.update.cpc_bid_micros = round(one.fields["bid"] * 1_000_000)
    operation.update_mask.paths.append("cpc_bid_micros")
    return operation
