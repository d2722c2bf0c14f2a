"""Events as Mailgun posts them: one a post, signed by HMAC over a timestamp and a token."""

import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Mapping
from typing import Any

SIGNING_KEY = "whsec-s3cr3t"


def signed(event: Mapping[str, Any], at: float | None = None) -> tuple[dict[str, str], bytes]:
    """Headers and body of a post."""
    moment, token = str(int(time.time() if at is None else at)), secrets.token_hex(25)
    signature = hmac.new(SIGNING_KEY.encode(), f"{moment}{token}".encode(), hashlib.sha256).hexdigest()
    said = {"signature": {"timestamp": moment, "token": token, "signature": signature}, "event-data": event}
    return {"content-type": "application/json"}, json.dumps(said).encode()
