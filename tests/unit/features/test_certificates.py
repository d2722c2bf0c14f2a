"""Servers are checked, by certificates that are read once."""

import ssl

from features.certificates import trusted


def test_certificates_are_read_once_and_servers_checked_by_them() -> None:
    assert trusted() is trusted()
    for context in (trusted(), trusted(trust_env=False)):
        assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
        assert context.cert_store_stats()["x509_ca"] > 50
