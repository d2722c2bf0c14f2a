"""Salesforce by its REST API, as documented in November 2026, with simple-salesforce.

| here | at Salesforce | found again by |
|---|---|---|
| `lead` | lead, or contact where the lead was converted; each scoring leaves one task | a field of the task |
| `list` | campaign: a segment or a nurturing list | a field of the campaign |
| `list_member` | campaign member | the lead or contact in the campaign |

An upsert by external id is Salesforce's only protection against doubles: leads have the customer's, tasks and campaigns
the marker of the change.
"""
