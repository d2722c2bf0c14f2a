"""`python -m serving.integrations.webhooks`: take webhooks of platforms until stopped, or tell what opened e-mails."""

import argparse
import logging

from features.privacy import keep_private, stay_private
from features.settings import Settings


def parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m serving.integrations.webhooks",
        description="Take signed webhooks of platforms at /v1/webhooks/PLATFORM until stopped. Put a TLS proxy before"
        " it: it is meant to be reached from the internet, and needs no key but those that the signatures are checked"
        " by (ADLOOP_SENDGRID_WEBHOOK_KEY, ADLOOP_MAILGUN_WEBHOOK_KEY).",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=8086)
    parser.add_argument("--opens", action="store_true", help="tell who opened e-mails, people or machines, and end")
    return parser


def main() -> None:
    stay_private()
    args = parser().parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(levelname)s %(message)s")

    from serving.integrations.webhooks.store import FILE, EventStore

    settings = Settings()
    if args.opens:
        for one in EventStore(settings.home / FILE).opens():
            share = f"{one.machine_share:.0%} of {one.people + one.machines:,} opens by machines"
            print(f"{one.platform} {one.campaign_id or '(no campaign)'}: {share}")
        return

    import uvicorn

    from serving.integrations.webhooks.app import make_app

    keep_private(settings.home)
    uvicorn.run(
        make_app(settings),
        host=args.host,
        port=args.port,
        ws="none",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        log_level="warning",
        timeout_graceful_shutdown=10,
    )


if __name__ == "__main__":
    main()
