"""Rules in YAML that change budgets, bids and status, or tell people.

`grammar.py` is what a file may say; `evaluate.py` goes from counts to verdicts to changes: conditions that may answer
"not yet", priority where rules oppose, caps and cool-downs; `run.py` intends the changes in the write ledger, and
`replay.py` tells what they would have done.
"""
