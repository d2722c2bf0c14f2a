"""Meta Marketing API (Graph v26.0) through Meta's own client, which is licensed for use with Meta's services only.

Facts it is built on: no idempotency keys; a call may answer 200 with an error in its body; throttles are codes in the
body, with the wait in a usage header; budgets and bids are integers of the currency's smallest unit.
"""
