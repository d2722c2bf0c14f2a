"""Google Analytics 4: visits back by the Data API, audiences by the Admin API, events out by the Measurement Protocol.

As documented in November 2026: the Data API spends tokens by day and by hour, tells what is left where a report asks
for it, and answers `RESOURCE_EXHAUSTED` when they are gone; ten server errors an hour close it for the project, so no
report is repeated after one. The Admin API signals quota by 403. The Measurement Protocol answers 2xx whatever comes,
so each event is validated at its debug endpoint first; what it took cannot be looked up: Google counts a purchase of
one `transaction_id` once, and any other event as often as it comes.
"""
