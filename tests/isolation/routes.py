"""Every operation of the REST API as its own description names it, with ids and bodies to ask it by."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final
from uuid import UUID, uuid4

from drf_spectacular.generators import SchemaGenerator

PREFIX: Final = "/api/v1"
#: Parameter of a path -> the table whose row it names.
TABLES: Final[Mapping[str, str]] = {
    "alert_id": "audit_alert",
    "audit_export_id": "audit_export",
    "event_id": "audit_event",
    "hold_id": "compliance_legalhold",
    "hold_notice_id": "compliance_holdnotice",
    "party_id": "compliance_party",
    "verification_id": "audit_verification",
    "evidence_id": "compliance_control_evidence",
    "probe_result_id": "compliance_probe_result",
    "probe_run_id": "compliance_probe_run",
    "subscription_id": "audit_eventsubscription",
    "access_request_id": "access_accessrequest",
    "api_key_id": "access_apikey",
    "bulk_id": "access_bulkevaluation",
    "attachment_id": "anonymization_policyattachment",
    "canary_id": "datasets_canary",
    "case_id": "anonymization_detectioncase",
    "certificate_id": "access_clientcertificate",
    "correction_id": "compliance_correction",
    "collection_id": "datasets_garbagecollection",
    "conflict_id": "datasets_mergeconflict",
    "binding_id": "access_rolebinding",
    "dataset_id": "datasets_dataset",
    "dead_letter_id": "audit_deadletter",
    "delegation_id": "access_delegation",
    "emergency_id": "access_breakglass",
    "erasure_id": "datasets_erasure",
    "export_id": "datasets_export",
    "family_id": "release_families",
    "feedback_id": "anonymization_findingfeedback",
    "group_id": "access_group",
    "guaranteed_id": "datasets_guaranteedexport",
    "incident_id": "compliance_incident",
    "incident_scope_id": "compliance_incidentscope",
    "incident_task_id": "compliance_incidenttask",
    "notice_id": "compliance_breachnotice",
    "ingest_id": "datasets_ingest",
    "item_id": "access_reviewitem",
    "key_id": "access_encryptionkey",
    "lease_id": "access_lease",
    "merge_id": "datasets_merge",
    "principal_id": "access_user",
    "policy_id": "anonymization_anonymizationpolicy",
    "publication_id": "datasets_publication",
    "purge_id": "datasets_purge",
    "recipient": "access_user",
    "record_id": "datasets_quarantinedrecord",
    "consent_id": "compliance_consent",
    "report_id": "compliance_report",
    "retention_policy_id": "compliance_retentionpolicy",
    "retention_run_id": "compliance_retentionrun",
    "release_id": "privacy_releases",
    "request_id": "datasets_mergerequest",
    "rescan_id": "datasets_rescan",
    "review_id": "access_accessreview",
    "role_id": "access_role",
    "rotation_id": "datasets_keyrotation",
    "rule_id": "anonymization_listentry",
    "schedule_id": "datasets_exportschedule",
    "scrub_id": "datasets_scrub",
    "service_account_id": "access_serviceaccount",
    "space_id": "anonymization_tokenspace",
    "subject_request_id": "compliance_subjectrequest",
    "subject_erasure_id": "compliance_subjecterasure",
    "subject_search_id": "compliance_subjectsearch",
    "subject_return_id": "datasets_identifierreturn",
    "recipient_task_id": "compliance_recipienttask",
    "tenant_id": "access_tenant",
    "user_id": "access_user",
    "webhook_id": "audit_webhookendpoint",
    "delivery_id": "audit_webhookdelivery",
}
#: Where one name stands for rows of another table.
PARTICULAR: Final[Mapping[tuple[str, str], str]] = {
    ("/detection/field-rules/{rule_id}", "rule_id"): "anonymization_fieldentry",
    ("/detection/thresholds/{rule_id}", "rule_id"): "anonymization_thresholdentry",
    ("/consent-tasks/{task_id}/decide", "task_id"): "compliance_consenttask",
}
#: What cannot be guessed from the description of a body: values that pass what is checked before the decision.
_QUESTION: Final = {
    "subject": {"type": "user", "id": str(uuid4())},
    "action": {"name": "read"},
    "resource": {"type": "dataset", "id": str(uuid4())},
}
_EVALUATION: Final = {"principal": {"id": "a"}, "resource": {"dataset_id": str(uuid4())}, "action": "read"}
_MODEL: Final = {"type": "model", "namespace": "registry", "name": "bot"}
_RUN: Final = {
    "eventType": "COMPLETE",
    "eventTime": "2026-05-04T10:00:00Z",
    "producer": "https://example.com/trainer",
    "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
    "run": {"runId": str(uuid4())},
    "job": {"namespace": "trainer", "name": "nightly"},
    "inputs": [{"namespace": "llm-data-vault://a", "name": str(uuid4())}],
    "outputs": [],
}
_RULE: Final = {"reason": "a"}
_EXPORT: Final = {"dataset_id": str(uuid4()), "anonymization": {"k": 2, "quasi_identifiers": ["/data/a"]}}
BODIES: Final[Mapping[tuple[str, str], Any]] = {
    ("DELETE", "/privacy/recipients/{recipient}/attestation"): {"reason": "a"},
    ("PATCH", "/anonymization/policies/{policy_id}"): {"description": "a"},
    ("PATCH", "/datasets/{dataset_id}/branches/{branch}"): {"is_protected": True},
    ("PATCH", "/detection/allow-list/{rule_id}"): _RULE,
    ("PATCH", "/detection/deny-list/{rule_id}"): _RULE,
    ("PATCH", "/detection/field-rules/{rule_id}"): _RULE,
    ("PATCH", "/detection/thresholds/{rule_id}"): _RULE,
    ("PATCH", "/service-accounts/{service_account_id}"): {"is_active": False},
    ("PATCH", "/subject-requests/{subject_request_id}"): {"legal_basis": "consent"},
    ("POST", "/compliance/controls/{control}/evidence"): {
        "title": "a",
        "statement": "a",
        "media_type": "text/plain",
        "expires_on": "2099-01-01",
        "document": "YQ==",
    },
    ("POST", "/access/v1/evaluation"): _QUESTION,
    ("POST", "/access/v1/evaluations"): _QUESTION,
    ("POST", "/access/v1/search/action"): _QUESTION,
    ("POST", "/access/v1/search/resource"): _QUESTION,
    ("POST", "/access/v1/search/subject"): _QUESTION,
    ("POST", "/analytics/export"): _EXPORT,
    ("POST", "/analytics/schedules"): {**_EXPORT, "interval_hours": 1},
    ("POST", "/anonymization/policies"): {"name": "a", "preset": "pci-pan"},
    ("POST", "/datasets/{dataset_id}/versions/{version}/anonymization-preview"): {"policy": "preset:pci-pan"},
    ("POST", "/datasets/{dataset_id}/lineage"): {"kind": "trained", "thing": _MODEL},
    ("POST", "/datasets/{dataset_id}/schemas"): {"schema": {"type": "object"}},
    ("POST", "/datasets/{dataset_id}/statistics"): {"subject": "a", "queries": [{"type": "count", "epsilon": "0.1"}]},
    ("POST", "/lineage/openlineage"): _RUN,
    ("PUT", "/merges/{merge_id}/conflicts/{conflict_id}"): {"resolution": "ours"},
    ("POST", "/policy/evaluations"): {"evaluations": [_EVALUATION]},
    ("POST", "/keys/rotations"): {"purpose": "kek"},
}
QUERIES: Final[Mapping[tuple[str, str], str]] = {
    ("POST", "/consents/import"): "?purpose=analytics",
    ("GET", "/analytics/export"): f"?dataset_id={uuid4()}",
    ("GET", "/analytics/schedules"): f"?dataset_id={uuid4()}",
    ("GET", "/datasets/{dataset_id}/lineage/path"): f"?to={uuid4()}",
}
_TEXTS: Final = {
    "control": "gdpr-5.1.a", "version": "1", "number": "1", "name": "a",
    "branch": "a", "tag": "a", "store": "exports", "record_id": "a", "year": "2026", "code": "analytics",
}  # fmt: skip


@dataclass(frozen=True)
class Route:
    """One operation: method, and path below /api/v1 with its parameters in braces."""

    method: str
    path: str

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def parameters(self) -> tuple[str, ...]:
        return tuple(part.partition("}")[0] for part in self.path.split("{")[1:])

    def tables(self) -> dict[str, str]:
        """Those of its parameters that are ids, with what they name."""
        ids = {name for name, kind in _kinds(self.method, self.path).items() if kind.get("format") == "uuid"}
        return {name: PARTICULAR.get((self.path, name)) or TABLES[name] for name in self.parameters if name in ids}

    def address(self, id_of: Callable[[str], UUID]) -> str:
        """The path with an id for each parameter that takes one, by its table, and its query."""
        named = self.tables()
        path = self.path
        for name in self.parameters:
            path = path.replace(f"{{{name}}}", str(id_of(named[name])) if name in named else _TEXTS[name])
        return path + QUERIES.get((self.method, self.path), "")

    @property
    def body(self) -> Any:
        """A body that is well-formed by the description; None where the operation takes none."""
        given = BODIES.get((self.method, self.path))
        return given if given is not None else sample_body(self.method, self.path)


@cache
def document() -> dict[str, Any]:
    """The description that the code gives of itself."""
    made: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    return made


@cache
def routes() -> tuple[Route, ...]:
    found = [
        Route(method.upper(), path.removeprefix(PREFIX))
        for path, operations in document()["paths"].items()
        for method in operations
    ]
    return tuple(sorted(found, key=str))


def random_id(_: str = "") -> UUID:
    return uuid4()


def _kinds(method: str, path: str) -> dict[str, dict[str, Any]]:
    given = document()["paths"][PREFIX + path][method.lower()].get("parameters", ())
    return {one["name"]: one["schema"] for one in given if one["in"] == "path"}


def body_schema(method: str, path: str) -> dict[str, Any] | None:
    """The schema of an operation's JSON body, references followed."""
    content = document()["paths"][PREFIX + path][method.lower()].get("requestBody", {}).get("content", {})
    if not content:
        return None
    return _followed(next(iter(content.values()))["schema"])


def sample_body(method: str, path: str) -> Any:
    schema = body_schema(method, path)
    return None if schema is None else _sample(schema, "")


def _followed(schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema or len(schema.get("allOf", ())) == 1:
        schema = schema["allOf"][0] if "allOf" in schema else _named(schema["$ref"])
    return schema


def _named(reference: str) -> dict[str, Any]:
    made: dict[str, Any] = document()["components"]["schemas"][reference.rpartition("/")[2]]
    return made


def _sample(schema: dict[str, Any], name: str) -> Any:
    schema = _followed(schema)
    for choice in ("oneOf", "anyOf"):
        if choice in schema:
            return _sample(schema[choice][0], name)
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type", "string")
    if kind == "object":
        return {member: _sample(schema["properties"][member], member) for member in schema.get("required", ())}
    if kind == "array":
        return [_sample(schema["items"], name)]
    numbers = {"boolean": True, "integer": max(1, schema.get("minimum", 1)), "number": 1}
    return numbers.get(kind) or _text(schema, name)


def _text(schema: dict[str, Any], name: str) -> str:
    made = {"uuid": str(uuid4()), "date-time": "2099-01-01T00:00:00Z", "decimal": "0.5", "ipv4": "192.0.2.1"}
    if schema.get("format") in made:
        return made[schema["format"]]
    return "evaluation" if name == "purpose" else "a" * max(1, schema.get("minLength", 1))


def members_of(schema: dict[str, Any], seen: frozenset[str] = frozenset()) -> Iterator[str]:
    """Every member that a body may have, at whatever depth."""
    if "$ref" in schema and schema["$ref"] in seen:
        return
    seen |= {schema.get("$ref", "")}
    schema = _followed(schema)
    for name, inner in schema.get("properties", {}).items():
        yield name
        yield from members_of(inner, seen)
    for inner in (*schema.get("oneOf", ()), *schema.get("anyOf", ()), *schema.get("allOf", ())):
        yield from members_of(inner, seen)
    if "items" in schema:
        yield from members_of(schema["items"], seen)
