"""How a picture is made: composition, colour, technical quality, clutter, and the contrast of its text.

Every score goes from 0 to 1 and describes the picture. None was measured on ads: none tells how an ad will do.
"""
