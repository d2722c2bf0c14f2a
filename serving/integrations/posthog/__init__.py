"""PostHog: events out by the official SDK, feature flags as rollouts, funnels and what customers do back.

As documented in November 2026: events that come twice merge some time later where uuid, name, time and person are all
the same, so each event carries a uuid made of its marker and the time that it was wanted for, and is looked for by its
uuid first. The SDK's queue sends again by itself and hides faults; its single call is used instead. A project above
its billing limit answers 200 and drops events: `quota_limited` names it. Queries, flags and persons are asked for with
a personal key; a throttled answer has `Retry-After`, and says its seconds in `detail`.
"""
