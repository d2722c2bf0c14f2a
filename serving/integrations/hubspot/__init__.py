"""HubSpot by its CRM API, as documented in November 2026, with hubspot-api-client.

| here | at HubSpot | found again by |
|---|---|---|
| `lead` | contact; each scoring leaves one note | a unique property of the note |
| `list` | static list: a segment or a nurturing list | its name, which is unique |
| `list_member` | contact in a list | the list's members |

Upserts by a unique property are HubSpot's only protection against doubles: contacts have the customer's id, notes the
marker of the change.
"""
