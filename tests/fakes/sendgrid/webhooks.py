"""Events as SendGrid posts them: batches of JSON, signed by ECDSA over the timestamp and the body."""

import base64
import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

_KEY = ec.generate_private_key(ec.SECP256R1())
#: As SendGrid shows it: base64 of the key's DER, in one line.
PUBLIC_KEY = base64.b64encode(_KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


def signed(events: Sequence[Mapping[str, Any]], at: float | None = None) -> tuple[dict[str, str], bytes]:
    """Headers and body of a post."""
    body, moment = json.dumps(events).encode(), str(int(time.time() if at is None else at))
    signature = base64.b64encode(_KEY.sign(moment.encode() + body, ec.ECDSA(hashes.SHA256()))).decode()
    return {
        "content-type": "application/json",
        "x-twilio-email-event-webhook-signature": signature,
        "x-twilio-email-event-webhook-timestamp": moment,
    }, body
