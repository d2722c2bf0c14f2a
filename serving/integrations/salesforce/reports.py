"""Reads Salesforce: won opportunities as transactions, and the accounts that they are of as customers."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from serving.integrations.salesforce.calls import Record, SalesforceCalls

if TYPE_CHECKING:
    import pyarrow as pa


def read(calls: SalesforceCalls, id_field: str, day: date) -> "Mapping[str, pa.Table]":
    """What was won on a day: opportunities have a day of closing, and no hour."""
    import pyarrow as pa

    won = list(
        calls.query(
            "SELECT Id, Amount, CloseDate, Type, LeadSource, AccountId, Account.Industry, Account.NumberOfEmployees,"
            f" (SELECT Contact.{id_field} FROM OpportunityContactRoles WHERE IsPrimary = true) FROM Opportunity"
            f" WHERE IsWon = true AND Amount != null AND CloseDate = {day.isoformat()}"
        )
    )
    customers = {_customer(one, id_field): one.get("Account") or {} for one in won}
    rows: dict[str, list[dict[str, Any]]] = {
        "transactions": [_transaction(one, id_field, day) for one in won],
        "customers": [
            {"customer_id": key, "industry": of.get("Industry"), "employees": of.get("NumberOfEmployees")}
            for key, of in customers.items()
        ],
    }
    return {table: pa.Table.from_pylist(found) for table, found in rows.items() if found}


def _customer(won: Record, id_field: str) -> str:
    """The primary contact where it is known here, else the account."""
    roles = (won.get("OpportunityContactRoles") or {}).get("records", ())
    known = [role["Contact"][id_field] for role in roles if (role.get("Contact") or {}).get(id_field)]
    return str(known[0]) if known else f"salesforce:{won['AccountId']}"


def _transaction(won: Record, id_field: str, day: date) -> dict[str, Any]:
    return {
        "customer_id": _customer(won, id_field),
        "occurred_at": datetime.combine(day, datetime.min.time()),
        "amount": float(won["Amount"]),
        "order_id": won["Id"],
        "channel": won.get("LeadSource"),
        "category": won.get("Type"),
    }
