"""Events as lines of a file: CSV, JSON, OCSF and CEF. Nothing in them runs in what opens them."""

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson

from audit.models import AuditEvent
from audit.selectors import Actor, open_actor, read_body
from vaultsite.kernel.events.event import EventType

#: The version of the Open Cybersecurity Schema Framework that events are written in.
OCSF_VERSION: Final = "1.6.0"
PRODUCT: Final = "LLM Data Vault"
VENDOR: Final = "LLM Data Vault"
COLUMNS: Final = (
    *("seq", "event_id", "timestamp", "event_type", "severity", "status", "operation", "failure_reason"),
    *("actor_type", "actor_id", "actor_name", "ip_address", "user_agent"),
    *("resource_type", "resource_id", "dataset_id", "classification", "version"),
    *("purpose", "policies", "request_id", "records", "bytes", "duration_ms"),
)
#: First characters by which spreadsheets take a cell for a formula, with their full-width forms (OWASP, CSV injection).
_FORMULA: Final = frozenset(
    "=+-@\t\r\n|%\N{MINUS SIGN}"
    "\N{FULLWIDTH EQUALS SIGN}\N{FULLWIDTH PLUS SIGN}\N{FULLWIDTH HYPHEN-MINUS}\N{FULLWIDTH COMMERCIAL AT}"
)
_INVISIBLE: Final = " \u00a0\u200b\u2060\ufeff\0"


@dataclass(frozen=True)
class Sealed:
    """A sealed event with its place in the log and the facts of its actor."""

    seq: int
    event: AuditEvent
    actor: Actor

    @classmethod
    def of(cls, seq: int, event: AuditEvent) -> "Sealed":
        """Raises IntegrityFailure, KeyUnavailable."""
        return cls(seq, event, open_actor(event))


Encoder = Callable[[Sealed], bytes]


def as_csv(row: Sealed) -> bytes:
    """One row of RFC 4180, in the order of COLUMNS; a cell that a spreadsheet would run begins with ``'``."""
    event, actor = row.event, row.actor
    return csv_row(
        [
            *(row.seq, event.pk, _rfc3339(event.time), event.type, event.severity, event.status, event.operation),
            *(event.failure_reason, actor.kind, actor.id, actor.name, actor.ip_address, actor.user_agent),
            *(event.resource_type, event.resource_id, event.dataset_id or "", event.classification, event.version),
            *(event.purpose, event.policy, event.request_id, event.records, event.bytes, event.duration_ms),
        ]
    )


def csv_row(cells: list[Any]) -> bytes:
    """Text cells are escaped; numbers stay numbers."""
    target = io.StringIO(newline="")
    csv.writer(target, lineterminator="\r\n").writerow(
        [cell if isinstance(cell, int) else escaped(str(cell)) for cell in cells]
    )
    return target.getvalue().encode()


def escaped(text: str) -> str:
    """The text with ``'`` before it when a spreadsheet would run it, looking past spaces and invisible marks."""
    if text[:1].isalnum():  # most cells: no formula and no invisible mark begins with a letter or a figure
        return text
    seen = text.lstrip(_INVISIBLE)
    return f"'{text}" if seen and seen[0] in _FORMULA else text


def as_json(row: Sealed) -> bytes:
    """The event as the API shows it, with its sequence number."""
    shown = read_body(row.event) | {"actor": _actor(row.actor), "seq": row.seq}
    return orjson.dumps(shown, option=orjson.OPT_APPEND_NEWLINE)


def _actor(actor: Actor) -> dict[str, str]:
    return {
        "type": actor.kind,
        "id": actor.id,
        "name": actor.name,
        "ip_address": actor.ip_address,
        "user_agent": actor.user_agent,
    }


_OCSF_SEVERITY: Final = {"info": (1, "Informational"), "warning": (3, "Medium"), "critical": (5, "Critical")}
_OCSF_ACTIVITY: Final = {
    "read": (2, "Read"), "export": (2, "Read"), "write": (1, "Create"),
    "update": (3, "Update"), "delete": (4, "Delete"),
}  # fmt: skip
_OCSF_USER: Final = {"user": (1, "User"), "system": (3, "System"), "service": (4, "Service")}
#: Events of the class Authentication, with their activities; every other event is API Activity.
_SIGN_IN: Final[Mapping[str, tuple[int, str]]] = {
    EventType.LOGIN_SUCCEEDED: (1, "Logon"),
    EventType.LOGIN_FAILED: (1, "Logon"),
    EventType.LOGIN_CONTINUED: (1, "Logon"),
    EventType.LOGOUT: (2, "Logoff"),
}


def as_ocsf(row: Sealed) -> bytes:
    """One OCSF event: Authentication (3002) for sign-ins and sign-outs, API Activity (6003) for everything else."""
    event = row.event
    sign_in = _SIGN_IN.get(event.type)
    shown = _ocsf_base(row) | (_authentication(row, *sign_in) if sign_in else _api_activity(row))
    shown["type_uid"] = shown["class_uid"] * 100 + shown["activity_id"]
    shown["type_name"] = f"{shown['class_name']}: {shown['activity_name']}"
    return orjson.dumps(shown, option=orjson.OPT_APPEND_NEWLINE)


def _ocsf_base(row: Sealed) -> dict[str, Any]:
    event = row.event
    severity_id, severity = _OCSF_SEVERITY.get(event.severity, (0, "Unknown"))
    succeeded = event.status == "success"
    return {
        "metadata": {
            "version": OCSF_VERSION,
            "product": {"name": PRODUCT, "vendor_name": VENDOR},
            "uid": str(event.pk),
            "sequence": row.seq,
            "event_code": event.type,
            "tenant_uid": str(event.tenant_id),
            **({"correlation_uid": event.request_id} if event.request_id else {}),
        },
        "time": int(event.time.timestamp() * 1000),
        "severity_id": severity_id,
        "severity": severity,
        "status_id": 1 if succeeded else 2,
        "status": "Success" if succeeded else "Failure",
        "status_code": event.status,
        **({"status_detail": event.failure_reason} if event.failure_reason else {}),
        "src_endpoint": _endpoint(row.actor),
        "unmapped": _unmapped(event),
    }


def _unmapped(event: AuditEvent) -> dict[str, Any]:
    said = {
        "classification": event.classification,
        "purpose": event.purpose,
        "policies": event.policy.split(),
        "records": event.records,
        "bytes": event.bytes,
        "duration_ms": event.duration_ms,
    }
    return {name: value for name, value in said.items() if value}


def _endpoint(actor: Actor) -> dict[str, str]:
    """Where a request came from; what the vault does by itself comes from the vault."""
    return {"ip": actor.ip_address} if actor.ip_address else {"name": PRODUCT}


def _user(actor: Actor) -> dict[str, Any]:
    type_id, kind = _OCSF_USER.get(actor.kind, (99, "Other"))
    return {"uid": actor.id, "type_id": type_id, "type": kind, **({"name": actor.name} if actor.name else {})}


def _authentication(row: Sealed, activity_id: int, activity: str) -> dict[str, Any]:
    return {
        "category_uid": 3,
        "category_name": "Identity & Access Management",
        "class_uid": 3002,
        "class_name": "Authentication",
        "activity_id": activity_id,
        "activity_name": activity,
        "user": _user(row.actor),
        "service": {"name": PRODUCT},
        **_http(row.actor),
    }


def _api_activity(row: Sealed) -> dict[str, Any]:
    event = row.event
    activity_id, activity = _OCSF_ACTIVITY.get(event.operation, (99, "Other"))
    request = {"request": {"uid": event.request_id}} if event.request_id else {}
    return {
        "category_uid": 6,
        "category_name": "Application Activity",
        "class_uid": 6003,
        "class_name": "API Activity",
        "activity_id": activity_id,
        "activity_name": activity,
        "actor": {"user": _user(row.actor)},
        "api": {"operation": event.type, "service": {"name": PRODUCT}, **request},
        "resources": [_resource(event)],
        **_http(row.actor),
    }


def _resource(event: AuditEvent) -> dict[str, str]:
    said = {
        "type": event.resource_type,
        "uid": event.resource_id or str(event.dataset_id or ""),
        "version": event.version,
    }
    return {name: value for name, value in said.items() if value}


def _http(actor: Actor) -> dict[str, Any]:
    return {"http_request": {"user_agent": actor.user_agent}} if actor.user_agent else {}


_CEF_SEVERITY: Final = {"info": 3, "warning": 6, "critical": 9}


def as_cef(row: Sealed) -> bytes:
    """One line of ArcSight's Common Event Format, version 0 (CEF:0), with its standard extension names."""
    event, actor = row.event, row.actor
    head = "|".join(("CEF:0", *map(_cef_head, (VENDOR, PRODUCT, "1", event.type, f"{event.type} {event.status}"))))
    extension = {
        "externalId": str(event.pk),
        "rt": str(int(event.time.timestamp() * 1000)),
        "outcome": event.status,
        "reason": event.failure_reason,
        "act": event.operation,
        "suid": actor.id,
        "suser": actor.name,
        "src": actor.ip_address,
        "requestClientApplication": actor.user_agent,
        "cn1": str(row.seq),
        "cn1Label": "seq",
        "cs1": f"{event.resource_type}/{event.resource_id}".rstrip("/"),
        "cs1Label": "resource",
        **_labelled("cs2", "dataset", str(event.dataset_id or "")),
        **_labelled("cs3", "classification", event.classification),
        **_labelled("cs4", "purpose", event.purpose),
        **_labelled("cs5", "policies", event.policy),
        **_labelled("cs6", "request", event.request_id),
        "out": str(event.bytes) if event.bytes else "",
        **_labelled("cn2", "records", str(event.records) if event.records else ""),
    }
    told = " ".join(f"{name}={_cef_value(value)}" for name, value in extension.items() if value)
    return f"{head}|{_CEF_SEVERITY.get(event.severity, 0)}|{told}\n".encode()


def _labelled(name: str, label: str, value: str) -> Mapping[str, str]:
    return {name: value, f"{name}Label": label} if value else {}


def _cef_head(text: str) -> str:
    return _one_line(text.replace("\\", "\\\\").replace("|", "\\|"))


def _cef_value(text: str) -> str:
    escaped_text = text.replace("\\", "\\\\").replace("=", "\\=")
    return _one_line(escaped_text.replace("\r\n", "\\n").replace("\n", "\\n").replace("\r", "\\r"))


def _one_line(text: str) -> str:
    """Without control characters or line separators: an event cannot begin a second line."""
    return "".join(one if one.isprintable() else " " for one in text)


def _rfc3339(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


#: Format -> (opening bytes, encoder of one event, suffix, media type).
ENCODERS: Final[Mapping[str, tuple[bytes, Encoder, str, str]]] = {
    "csv": (csv_row(list(COLUMNS)), as_csv, "csv", "text/csv; charset=utf-8"),
    "jsonl": (b"", as_json, "jsonl", "application/jsonl"),
    "ocsf": (b"", as_ocsf, "ocsf.jsonl", "application/jsonl"),
    "cef": (b"", as_cef, "cef", "text/plain; charset=utf-8"),
}
BUNDLE: Final = ("zip", "application/zip")
