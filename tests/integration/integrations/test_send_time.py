"""An e-mail at a drawn hour: scheduled, sent by SendGrid's fake, clicked, and judged from its signed webhook."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from features.settings import Settings
from serving.campaigns.send_time.hours import HourCounts
from serving.campaigns.send_time.log import WINDOW_S, SendTimeLog
from serving.campaigns.send_time.policy import SendTimePolicy
from serving.campaigns.send_time.schedule import scheduled
from serving.integrations.apply import apply
from serving.integrations.ledger import WriteLedger
from serving.integrations.sendgrid.account import connected
from serving.integrations.webhooks.app import make_app
from serving.integrations.webhooks.store import FILE, EventStore
from tests.fakes.fake import running
from tests.fakes.rest import serve
from tests.fakes.sendgrid import FAKE, email
from tests.fakes.sendgrid.state import SendGridState
from tests.fakes.sendgrid.webhooks import signed
from tests.toyland import local


def test_a_drawn_hour_is_sent_and_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log, ledger = SendTimeLog(tmp_path / "drawn.db"), WriteLedger(tmp_path / "ledger.db")
    now = datetime.now(UTC)
    changes = [
        scheduled(
            email(f"mail-{number}", f"p{number}@example.org"), SendTimePolicy(), HourCounts(), log, "all", "UTC", now
        )
        for number in range(4)
    ]
    assert "propensity" in changes[0].reason
    with running(FAKE) as fake, serve(make_app(Settings(home=tmp_path))) as url:
        fake.connect(monkeypatch.setenv)
        ledger.intend(changes, 0.0)
        assert len(apply(connected(), ledger).confirmed) == 4
        state = fake.state
        assert isinstance(state, SendGridState)
        kept = list(state.messages.values())
        for number, one in enumerate(kept):
            assert one.send_at is not None and one.send_at >= now.timestamp()
            told = [
                {"event": "delivered", "sg_event_id": f"d{number}"},
                {"event": "click", "sg_event_id": f"c{number}"},
            ]
            events = [
                {**event, **one.arguments, "sg_message_id": one.message_id, "timestamp": one.send_at}
                for event in told[: 1 + (number == 2)]
            ]
            headers, body = signed(events)
            assert local.post(f"{url}/v1/webhooks/sendgrid", headers=headers, content=body).status_code == 200
    last = max(one.send_at or 0 for one in kept)
    judged = log.judged(EventStore(tmp_path / FILE), last + WINDOW_S)
    assert {one.drawn.customer_id: one.responded for one in judged} == {
        f"mail-{number}": number == 2 for number in range(4)
    }
    hours = {one.drawn.customer_id: one.drawn.hour for one in judged}
    sent = {one.arguments["adloop_customer"]: datetime.fromtimestamp(one.send_at or 0, UTC).hour for one in kept}
    assert sent == hours
