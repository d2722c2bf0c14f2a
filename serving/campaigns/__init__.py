"""Campaigns: a file that people read, approve and change; its life, its launch, what bounds it, and its end.

`plan.py` is the file, `life.py` its states, `checks/` what must hold before money is spent, `launch.py` the changes
that bring it to platforms, `rules/` what runs them, `safety/` what every change must pass on its way there, `ending/`
what is learnt from it.
"""
