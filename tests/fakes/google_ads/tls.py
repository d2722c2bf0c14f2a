"""The fake over TLS, which Google's own client asks for: it has no way to leave it out."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.fakes.faults import Script
from tests.fakes.google_ads.server import GoogleAds
from tests.fakes.google_ads.state import GoogleAdsState


@contextmanager
def secured(state: GoogleAdsState, script: Script, certificate: Path) -> Iterator[str]:
    """Serve an account as `localhost:PORT`; clients trust it by the certificate that is written to the file (gRPC's
    reads GRPC_DEFAULT_SSL_ROOTS_FILE_PATH)."""
    key, chain = _certificate()
    certificate.write_bytes(chain)
    server = grpc.server(ThreadPoolExecutor(max_workers=2))
    server.add_generic_rpc_handlers((GoogleAds(state, script),))
    port = server.add_secure_port("localhost:0", grpc.ssl_server_credentials([(key, chain)]))
    server.start()
    try:
        yield f"localhost:{port}"
    finally:
        server.stop(grace=None).wait()


def _certificate() -> tuple[bytes, bytes]:
    """A fresh key and its own certificate for `localhost`, in PEM."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    made = (
        x509.CertificateBuilder(subject_name=name, issuer_name=name, public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private, made.public_bytes(serialization.Encoding.PEM)
