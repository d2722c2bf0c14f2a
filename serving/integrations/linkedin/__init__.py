"""LinkedIn Marketing over Rest.li 2.0, as documented in November 2026; LinkedIn keeps no client for Python.

| here | at LinkedIn | its marker |
|---|---|---|
| `campaign` | campaign group | in the name |
| `ad_group` | campaign: budgets, bid, targeting | in the name |
| `ad` | creative that sponsors a post | in the name |
| `post` | post that is only shown as an ad | in the ad context's name |
| `audience` | DMP segment of companies or members | in the name |
| `company` | company in a segment | none: adding it again changes nothing |
"""
