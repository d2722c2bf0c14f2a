"""Stand-ins for ad and marketing platforms that speak their real protocols on this machine and keep what is written.

`python -m tests.fakes meta` starts one and prints the variables that point adloop at it;
`python -m tests.fakes google_ads,meta adloop apply` runs a command beside several.
"""
