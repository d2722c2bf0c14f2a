"""Masks personal data in free text before it is logged or kept: card numbers, e-mail addresses, phone numbers.

Other digits stay readable: prices, dates, times, order numbers.
"""

import re

CARD, EMAIL, PHONE = "[card]", "[email]", "[phone]"

#: What people write between groups of digits.
_GAP = r"[ \u00a0\u2009\u202f./\-\u2010-\u2015]"
_CARD = re.compile(rf"(?<!\d)\d(?:{_GAP}{{0,2}}\d){{12,18}}(?!\d)")
_LOCAL = r"[^\s@<>()\[\],;:\"'|]"
_DOMAIN = r"[^\W_][\w-]{0,62}(?:\.[\w-]{1,63}){0,8}\.[^\W\d_]{2,24}"
_EMAIL = re.compile(rf"(?<!{_LOCAL}){_LOCAL}++\s?(?:@|\(at\)|\[at\])\s?{_DOMAIN}", re.IGNORECASE)
#: Three ways to write a number: with + or 00 and a country; with a trunk 0; in North America's groups of 3, 3 and 4.
_PHONE = re.compile(
    rf"(?<![\w.,/])(?:\+|00(?=[1-9])){_GAP}?\d(?:{_GAP}?\(?\d\)?){{6,14}}(?!\d)"
    rf"|(?<![\w.,/+])\(?0[1-9]\d{{0,4}}\)?(?:{_GAP}{{0,3}}\d){{5,11}}(?!\d)"
    rf"|(?<![\w.,/+])\(?[2-9]\d{{2}}\)?{_GAP}{{1,2}}[2-9]\d{{2}}{_GAP}\d{{4}}(?!\d)"
)
#: 02.01.2026, 02/01/26: a date also begins with 0.
_DATE = re.compile(r"\d{1,2}([./-])\d{1,2}\1(\d{2}|\d{4})")


def masked(text: str) -> str:
    """The text with personal data replaced by `[card]`, `[email]` and `[phone]`.

    A card number has 13 to 19 digits that pass Luhn's checksum (ISO/IEC 7812-1), in any groups.
    """
    text = _EMAIL.sub(EMAIL, text)
    text = _CARD.sub(lambda found: CARD if luhn(found[0]) else found[0], text)
    return _PHONE.sub(lambda found: found[0] if _DATE.match(found[0]) else PHONE, text)


def luhn(text: str) -> bool:
    """Whether the digits of a text pass Luhn's checksum; other characters are skipped."""
    digits = [int(one) for one in text if one.isdecimal()]
    doubled = (sum(divmod(2 * one, 10)) for one in digits[-2::-2])
    return bool(digits) and (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0
