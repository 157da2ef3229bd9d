"""The REST API asked for what is another tenant's, and told what is not the caller's to say."""

from uuid import uuid4

import pytest
from django.urls import get_resolver

from access.models import Tenant
from datasets.api.serializers import DatasetInput
from datasets.models import Blob, Dataset
from tests.factories.access import acting
from tests.factories.api import API, caller, events_of, new_request_id, send
from vaultsite.kernel.blobs import BlobStore
from vaultsite.kernel.blobs.names import is_blob_name

WRITABLE = set(DatasetInput().fields)
#: Every column of the table, every name the ORM knows it by, and what an attacker would try beside.
UNTOUCHABLE = sorted(
    {name for field in Dataset._meta.get_fields() for name in (field.name, getattr(field, "attname", field.name))}
    - WRITABLE
    | {"owner", "owner_id", "is_staff", "role", "hold", "key_id", "pk", "_state", "__class__"}
)
#: What an id in a path names.
IDENTIFIED = {
    "<uuid:dataset_id>": "datasets_dataset",
    "<uuid:canary_id>": "datasets_canary",
    "<uuid:principal_id>": "access_user",
    "<uuid:ingest_id>": "datasets_ingest",
    "<uuid:merge_id>": "datasets_merge",
    "<uuid:conflict_id>": "datasets_mergeconflict",
    "<uuid:request_id>": "datasets_mergerequest",
    "<uuid:publication_id>": "datasets_publication",
    "<uuid:export_id>": "datasets_export",
    "<uuid:guaranteed_id>": "datasets_guaranteedexport",
    "<uuid:schedule_id>": "datasets_exportschedule",
    "<uuid:erasure_id>": "datasets_erasure",
    "<uuid:collection_id>": "datasets_garbagecollection",
    "<uuid:scrub_id>": "datasets_scrub",
    "<uuid:rescan_id>": "datasets_rescan",
    "<uuid:record_id>": "datasets_quarantinedrecord",
    "<uuid:purge_id>": "datasets_purge",
    "<uuid:rotation_id>": "datasets_keyrotation",
    "<uuid:key_id>": "access_encryptionkey",
    "<uuid:user_id>": "access_user",
    "<uuid:group_id>": "access_group",
}
BODIES = {"PUT": {"name": "other"}, "PATCH": {"description": "other"}, "POST": b'{"id": "1"}\n'}
DATASET = "/datasets/<uuid:dataset_id>"
MODEL = {"type": "model", "namespace": "registry", "name": "bot"}
#: Bodies that pass where the usual one would be refused before anything is looked up.
REASON = {"reason": "found by nobody"}
SUITABLE = {
    ("POST", f"{DATASET}/versions/<str:version>/quarantine"): REASON,
    ("POST", f"{DATASET}/versions/<str:version>/release"): REASON,
    ("POST", "/quarantined-records/<uuid:record_id>/discard"): REASON,
    ("POST", "/quarantined-records/<uuid:record_id>/restore"): REASON,
    ("POST", f"{DATASET}/canaries"): {"record_ids": ["a"]},
    ("POST", f"{DATASET}/canary-readers"): {"principal": str(uuid4())},
    ("POST", f"{DATASET}/branches"): {"name": "other"},
    ("PATCH", f"{DATASET}/branches/<path:branch>"): {"is_protected": True},
    ("POST", f"{DATASET}/branches/<path:branch>/rollback"): {"version": "v1.0.0"},
    ("POST", f"{DATASET}/erasures"): {"record_ids": ["a"], "reason": "asked for"},
    ("POST", f"{DATASET}/exports"): {},
    ("POST", f"{DATASET}/permissions"): {"user": str(uuid4()), "permission": "view"},
    ("POST", f"{DATASET}/permissions/groups"): {"group": str(uuid4()), "permission": "view"},
    ("POST", f"{DATASET}/lineage"): {"kind": "trained", "thing": MODEL},
    ("PUT", f"{DATASET}/release-rules"): {"subject": "a"},
    ("POST", f"{DATASET}/statistics"): {"subject": "a", "queries": [{"type": "count", "epsilon": "0.1"}]},
    ("POST", f"{DATASET}/tags"): {"name": "other", "version": "v1.0.0"},
    ("POST", f"{DATASET}/versions"): {},
    ("POST", f"{DATASET}/versions/<str:version>/publish"): {},
    ("POST", f"{DATASET}/versions/<str:version>/anonymization-preview"): {"policy": "preset:pci-pan"},
    ("POST", "/analytics/export/<uuid:guaranteed_id>/download-url"): {},
    ("POST", "/analytics/export/<uuid:guaranteed_id>/deletion"): {},
    ("POST", "/exports/<uuid:export_id>/download-url"): {},
    ("POST", "/keys/<uuid:key_id>/destruction"): {"reason": "rotated"},
    ("POST", "/keys/<uuid:key_id>/destruction/confirm"): {},
}
#: Headers that differ from one request to the next, whatever it asks for.
COUNTING = ("X-Request-ID", "X-RateLimit", "RateLimit")
QUERIES = {f"{DATASET}/lineage/path": f"?to={uuid4()}"}
#: Types of a refusal: of data, and of what only some may manage, where the answer is 403 for every id.
REFUSALS = {"data.access.denied": {404}, "admin.access.read": {403, 404}, "admin.access.write": {403, 404}}


def routes():
    """Method and path template of everything below a dataset or an ingest, from the URL configuration."""
    found = []
    for pattern, callback in _leaves(get_resolver("datasets.api.urls"), "/"):
        if "<uuid:" in pattern:
            view = callback.view_class
            found += [(method.upper(), pattern) for method in view.http_method_names if hasattr(view, method)]
    return sorted(route for route in found if route[0] not in {"OPTIONS", "HEAD"})


def _leaves(resolver, prefix):
    for entry in resolver.url_patterns:
        path = prefix + str(entry.pattern)
        yield from _leaves(entry, path) if hasattr(entry, "url_patterns") else [(path, entry.callback)]


def test_the_routes_are_found():
    assert ("GET", "/datasets/<uuid:dataset_id>/versions/<str:version>/records/<str:record_id>") in routes()
    assert len(routes()) >= 12


@pytest.fixture(scope="module")
def stewards(populated):
    """Tenant A and one caller for all routes: its steward."""
    tenant = Tenant(pk=populated[0].id)
    return tenant, caller(tenant, "data_steward")


@pytest.mark.parametrize(("method", "route"), routes())
def test_another_tenants_resource_is_answered_like_one_that_never_was(stewards, b, method, route):
    """T01: the same bytes for a foreign and for a random id; each recorded as a refusal."""
    tenant, steward = stewards
    answers = []
    for identifier in (b.rows.__getitem__, lambda _: uuid4()):
        path = route.replace("<str:version>", "1").replace("<str:record_id>", "a")
        for place, table in IDENTIFIED.items():
            path = path.replace(place, str(identifier(table)))
        request_id = new_request_id()
        body = SUITABLE.get((method, route), BODIES.get(method))
        answer = send(steward, method, path + QUERIES.get(route, ""), body, **{"X-Request-ID": request_id})
        content = b"".join(answer.streaming_content) if answer.streaming else answer.content
        headers = {name: value for name, value in answer.headers.items() if not name.startswith(COUNTING)}
        answers.append((answer.status_code, content.replace(request_id.encode(), b""), headers))
        (event,) = events_of(tenant, request_id)
        assert event.status == "denied"
        assert answer.status_code in REFUSALS[event.type]
        assert str(b.id) not in bytes(event.body).decode()
    assert answers[0] == answers[1]


@pytest.mark.parametrize("member", UNTOUCHABLE)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_what_is_not_the_callers_to_say_is_refused_and_never_stored(stewards, rival, method, member):
    """T16: a member that cannot be set is named, and the request changes nothing."""
    tenant, steward = stewards
    name = f"mass {uuid4().hex}"
    path = "/datasets"
    if method != "POST":
        path += "/" + send(steward, "POST", "/datasets", {"name": name}).json()["id"]
    before = stored(tenant, name)

    answer = send(steward, method, path, {"name": name, "description": "changed", member: str(rival.pk)})

    assert (answer.status_code, answer.json()["code"]) == (400, "VAULT_VALID_3001")
    assert f"/{member}" in {problem["field"] for problem in answer.json()["errors"]}
    assert stored(tenant, name) == before
    assert stored(rival, name) == []


def stored(tenant, name):
    with acting(tenant):
        return list(Dataset.objects.filter(name=name).values())


HOSTILE = [
    "../../../etc/passwd",
    "..\\..\\boot.ini",
    "/etc/shadow",
    "%2e%2e%2f",
    "con",
    "a" * 200,
    "~root",
    "$(id)",
    "a;b|c&d",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_of_a_user_becomes_a_name_in_the_store(tenant, text):
    """T45: names are generated, whatever the dataset, the file or the message is called."""
    steward = caller(tenant, "data_steward")
    dataset = send(steward, "POST", "/datasets", {"name": text}).json()["id"]
    answer = steward.post(
        f"{API}/datasets/{dataset}/data",
        b'{"id": "1", "text": "hello"}\n',
        content_type="application/octet-stream",
        query_params={"format": "jsonl", "message": text[:100]},
        headers={"Content-Disposition": f'attachment; filename="{text}"', "X-Filename": text},
    )
    assert answer.status_code in {201, 202}, answer.content
    with acting(tenant):
        names = list(Blob.objects.filter(dataset_id=dataset).values_list("name", flat=True))
    assert names
    assert [name for name in names if not is_blob_name(name)] == []
    assert set(names) <= set(BlobStore.default().names(""))


@pytest.mark.parametrize(
    "record_id", ["..", "%2e%2e", "..%2f..%2fetc%2fpasswd", "a%00b", "%ff%fe", "a" * 5000, "' OR 1=1 --"]
)
def test_a_hostile_path_is_a_refusal_and_no_fault(stewards, record_id):
    _, steward = stewards
    answer = steward.get(f"{API}/datasets/{uuid4()}/versions/main/records/{record_id}")
    assert 400 <= answer.status_code < 500
