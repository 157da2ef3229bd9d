"""Rules of the catalogue: every type has a topic, every shape its schema, and every event fits it."""

import orjson
import pytest
from jsonschema import Draft202012Validator

from audit.catalog.aliases import ALIASES, VOCABULARIES, names_of
from audit.catalog.envelope import FORMATS, envelope, fits
from audit.catalog.schemas import schemas, topics_of_types
from audit.catalog.topics import ALL_TOPICS, FEED_ALERTS, SYSTEM, TOPICS, topic_of, topics_of
from audit.models import AuditEvent
from tests.factories.access import acting
from tests.factories.api import caller, send
from tests.factories.audit import dataset_ref, make_event, make_principal, record
from tests.factories.datasets import jsonl
from vaultsite.kernel.events.event import EventType
from vaultsite.kernel.identifiers import uuid7

VALIDATORS = {
    name: Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    for name, schema in schemas().items()
}


def problems_of(event: AuditEvent, form: str, vocabulary: str = "canonical") -> list[str]:
    shown = orjson.loads(orjson.dumps(envelope(event, form=form, vocabulary=vocabulary)))
    return [
        f"{event.type} {error.json_path}: {error.message}"
        for error in VALIDATORS[f"{form}.schema.json"].iter_errors(shown)
    ]


def test_every_type_has_one_topic() -> None:
    assert set(TOPICS) == set(EventType)
    assert set(TOPICS.values()) <= set(ALL_TOPICS)
    assert set(topics_of_types()) == {kind.value for kind in EventType}


def test_types_of_older_releases_are_published_too() -> None:
    assert topic_of("data.forgotten.long.ago") == SYSTEM


def test_what_is_critical_is_an_alert_as_well() -> None:
    assert FEED_ALERTS in topics_of(EventType.ACCESS_READ, "critical")
    assert FEED_ALERTS not in topics_of(EventType.ACCESS_READ, "warning")
    assert len(set(topics_of(EventType.ERASED, "critical"))) == len(topics_of(EventType.ERASED, "critical"))


def test_other_names_are_of_types_that_exist_and_mean_one_each() -> None:
    assert set(ALIASES.values()) <= {kind.value for kind in EventType}
    assert not set(ALIASES) & {kind.value for kind in EventType}
    for names in VOCABULARIES.values():
        assert len(set(names.values())) == len(names)


def test_a_denied_read_is_a_read_to_those_who_know_no_denials() -> None:
    assert "data.read" in names_of("data.access.denied", "read")
    assert "data.read" not in names_of("data.access.denied", "write")
    assert "data.write" in names_of("data.access.denied", "write")


@pytest.mark.parametrize("name", sorted(VALIDATORS))
def test_the_schemas_are_schemas(name: str) -> None:
    Draft202012Validator.check_schema(VALIDATORS[name].schema)


def test_what_a_shape_does_not_know_is_refused_by_its_schema() -> None:
    """The contract is closed: an event with a member of another's making is no event."""
    event = {
        "event_id": "x",
        "event_type": "data.made.up",
        "timestamp": "now",
        "source": "llm-data-vault",
        "payload": {},
    }
    assert len(list(VALIDATORS["registry-1.1.schema.json"].iter_errors(event))) >= 2


def test_every_event_of_a_working_day_fits_every_shape(tenant) -> None:
    """What many emitters write in the course of a dataset's life, as it would be sent."""
    steward, admin, stranger = (caller(tenant, role) for role in ("data_steward", "tenant_admin", "viewer"))
    made = send(steward, "POST", "/datasets", {"name": f"support {uuid7()}", "classification": "pii"}).json()
    path = f"/datasets/{made['id']}"
    send(steward, "POST", f"{path}/versions?format=jsonl", jsonl([{"id": "a", "prompt": "Hello"}]))
    send(steward, "PATCH", path, {"description": "of last year", "tags": ["hipaa"]})
    send(steward, "GET", f"{path}/versions")
    send(stranger, "DELETE", path)
    send(stranger, "GET", f"{path}/data")
    send(steward, "GET", f"/datasets/{uuid7()}")
    send(admin, "POST", "/subscriptions", {"name": "to the broker", "route": "siem"})
    send(admin, "POST", "/api-keys", {"name": "another", "roles": ["viewer"]})
    send(steward, "DELETE", path)
    send(steward, "POST", f"{path}/restore")
    record(tenant.pk, make_event(resource=dataset_ref(uuid7())), principal=make_principal(tenant.pk, kind="system"))
    with acting(tenant):
        events = list(AuditEvent.objects.order_by("time"))
    assert len({event.type for event in events}) >= 8
    assert {event.status for event in events} >= {"success", "denied"}
    for form in FORMATS:
        shown = [event for event in events if fits(event, form)]
        assert shown
        assert [problem for event in shown for problem in problems_of(event, form, "platform")] == []
    (created,) = [event for event in events if event.type == "data.created"]
    told = envelope(created, form="vault-1.4")
    assert told["resource"]["dataset_name"] == made["name"]
    assert told["context"]["compliance_tags"] == ["gdpr"]
    assert told["metadata"]["duration_ms"] >= 0
    assert "sealed" not in orjson.dumps(told).decode()


def test_registries_are_told_of_datasets_alone(tenant) -> None:
    about, beside = make_event(resource=dataset_ref(uuid7())), make_event()
    record(tenant.pk, about, beside)
    with acting(tenant):
        rows = {row.pk: row for row in AuditEvent.objects.filter(pk__in=[about.id, beside.id])}
    assert fits(rows[about.id], "registry-1.1")
    assert not fits(rows[beside.id], "registry-1.1")
    told = envelope(rows[about.id], form="registry-1.1", vocabulary="registry")
    assert told["event_type"] == "data.accessed"
    assert told["payload"]["dataset_id"] == str(about.resource.dataset_id)
