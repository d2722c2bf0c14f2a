"""Why an address must not be sent to."""

from urllib.parse import quote

from serving.integrations.sendgrid.calls import SendGridCalls

_LISTS = {
    "suppression/bounces": "bounced",
    "suppression/spam_reports": "reported an e-mail as spam",
    "suppression/invalid_emails": "is no valid address",
}


def suppressed(calls: SendGridCalls, address: str, group: int | None) -> str:
    """Why the address is suppressed now; empty where it is not.

    An e-mail of a group minds only that group, as SendGrid does. One without a group minds all of them: who
    unsubscribed from one kind of e-mail is not reached by naming none.
    """
    if not address:
        return ""  # SendGrid refuses it; the lists would be asked for as a whole
    place = quote(address, safe="")
    if (calls.ask("get", f"asm/suppressions/global/{place}").body or {}).get("recipient_email"):
        return "unsubscribed from all e-mails"
    for path, why in _LISTS.items():
        if calls.ask("get", f"{path}/{place}").body:
            return why
    groups = (calls.ask("get", f"asm/suppressions/{place}").body or {}).get("suppressions", [])
    left = [one for one in groups if one["suppressed"] and group in (None, one["id"])]
    return f"unsubscribed from '{left[0]['name']}'" if left else ""
