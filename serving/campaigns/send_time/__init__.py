"""When an e-mail is sent: the hour is drawn by what clicks and conversions taught, and its propensity is logged.

Opens teach nothing: mail programs open by themselves. A standing holdout gets the fixed hour of before, so that what
the learnt hour gains is measured and not believed. `hours.py` learns, `policy.py` draws, `log.py` remembers what was
drawn, `gain.py` measures.
"""
