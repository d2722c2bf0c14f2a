"""What every change must pass right before the call that carries it: `gate` gives the reason why one waits.

Each module is one guard: stops, approvals, spend, rates, quality, wording. A guard that cannot read what it needs lets
nothing pass.
"""
