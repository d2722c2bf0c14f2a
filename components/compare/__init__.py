"""Would it work on my data?"""
