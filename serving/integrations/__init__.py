"""Ad and marketing platforms: what is wanted of them is written once each, though none of them promises that.

`change.py` is what is wanted, `ledger.py` remembers it, `apply.py` brings it to a platform, `platform.py` is what a
platform must do for that; each platform has a folder.
"""
