"""What platforms tell by themselves: signed webhooks, kept as outcomes.

`events.py` is what is told, `store.py` keeps it, `app.py` is the server. A platform that sends webhooks has a module
`webhooks.py` in its folder, which checks their signature and reads them.
"""
