"""SendGrid, Web API v3, by the official SDK: e-mails out, sends and clicks by campaign back, events by signed webhook.

As documented in November 2026: a send answers 202 with its id in `X-Message-Id`, and 200 in the sandbox, where nothing
leaves and no webhook comes; faults are `errors[]` with `message`, `field` and `help`; a throttled call answers 429, and
`X-RateLimit-Reset` is the Unix second to wait for. There is no idempotency key: each e-mail carries its marker among
`custom_args`, and the Email Activity Feed, an add-on of the account, finds it by that. The feed answers six calls a
minute.
"""
