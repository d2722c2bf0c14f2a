"""Mailgun, API v3, by the official client: e-mails out, sends and clicks by campaign back, events by signed webhook.

As documented in November 2026: there is no idempotency key, but a Message-Id of one's own is kept, so each e-mail's is
its marker at the sending domain, and the Events API finds it by that. Events are complete after half an hour, and kept
for a day on free plans, up to 30 days on others. Pages are followed by their whole address: the client's own `stream`
takes only the query of it, and would read the first page twice.
"""
