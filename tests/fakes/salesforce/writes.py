"""Creations, updates and upserts of records, and why they are refused."""

from collections.abc import Mapping
from typing import Any

from tests.fakes.salesforce.state import EXTERNAL, FIELDS, Record, SalesforceState

_REQUIRED = {"Lead": ("LastName", "Company"), "Campaign": ("Name",), "CampaignMember": ("CampaignId",)}


class RefusedRecord(ValueError):
    """A record that is not written: error code, message and fields."""

    def __init__(self, code: str, message: str, *fields: str) -> None:
        super().__init__(message)
        self.code, self.message, self.fields = code, message, fields


def upsert(state: SalesforceState, kind: str, field: str, record: Mapping[str, Any]) -> Record:
    """By external id: as one record of a collection answers."""
    if field != EXTERNAL.get(kind) or not record.get(field):
        raise RefusedRecord("INVALID_FIELD", f"{field} is no external id, or has no value", field)
    key = state.by_external(kind, record[field])
    fields = _plain(record)
    return {**(update(state, kind, key, fields) if key else create(state, kind, fields)), "created": not key}


def create(state: SalesforceState, kind: str, fields: Record) -> Record:
    missing = [name for name in _REQUIRED.get(kind, ()) if not fields.get(name)]
    if missing:
        message = f"Required fields are missing: [{', '.join(missing)}]"
        raise RefusedRecord("REQUIRED_FIELD_MISSING", message, *missing)
    _check(kind, fields)
    if kind == "CampaignMember":
        fields = _member(state, fields)
    return {"id": state.put(kind, state.new_id(kind), fields), "success": True, "errors": []}


def update(state: SalesforceState, kind: str, key: str, fields: Record) -> Record:
    record = state.kept.get(kind, {}).get(key)
    if record is None or record["IsDeleted"]:
        raise RefusedRecord("ENTITY_IS_DELETED" if record else "NOT_FOUND", "entity is not there")
    if key in state.locked:
        state.locked.discard(key)
        raise RefusedRecord("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record")
    if record.get("IsConverted"):
        raise RefusedRecord("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead")
    _check(kind, fields)
    state.put(kind, key, fields)
    return {"id": key, "success": True, "errors": []}


def answer(refused: RefusedRecord) -> Record:
    """One record of a collection that was refused."""
    error = {"statusCode": refused.code, "message": refused.message, "fields": list(refused.fields)}
    return {"success": False, "errors": [error]}


def _plain(record: Mapping[str, Any]) -> Record:
    return {name: value for name, value in record.items() if name not in ("attributes", "id")}


def _check(kind: str, fields: Mapping[str, Any]) -> None:
    for name, value in fields.items():
        if name not in FIELDS[kind]:
            raise RefusedRecord("INVALID_FIELD", f"No such column '{name}' on sobject of type {kind}", name)
        if isinstance(value, str) and len(value) > FIELDS[kind][name] > 0:
            message = f"{name}: data value too large: {value[:20]} (max length={FIELDS[kind][name]})"
            raise RefusedRecord("STRING_TOO_LONG", message, name)


def _member(state: SalesforceState, fields: Record) -> Record:
    person = fields.get("LeadId") or fields.get("ContactId")
    if fields["CampaignId"] not in state.kept.get("Campaign", {}):
        raise RefusedRecord("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", "CampaignId")
    for one in state.kept.get("CampaignMember", {}).values():
        if not one["IsDeleted"] and (one["CampaignId"], one["LeadOrContactId"]) == (fields["CampaignId"], person):
            raise RefusedRecord("DUPLICATE_VALUE", "Already a campaign member.", "LeadOrContactId")
    return {**fields, "LeadOrContactId": person}
