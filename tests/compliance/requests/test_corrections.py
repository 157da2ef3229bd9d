"""Rectification: proposed by an officer, previewed, and made a version by who may write the records."""

import pytest
from django.db import connection

from datasets.models import Version
from tests.compliance.requests.test_packages import dataset, reviewed  # noqa: F401 - fixtures
from tests.factories.access import acting
from tests.factories.api import caller, send
from tests.factories.datasets import read_all


@pytest.fixture
def proposed(dataset, reviewed, act):  # noqa: F811 - a fixture
    request = reviewed(type="rectification")
    patch = {"dataset_id": str(dataset.pk), "patches": [{"id": "r-3", "data": {"text": "Jane left", "score": None}}]}
    status, correction = act(request, "corrections", patch)
    assert status == 201, correction
    return request, correction


def test_a_correction_becomes_a_version_by_somebody_who_may_write(tenant, dataset, act, proposed) -> None:  # noqa: F811
    request, correction = proposed
    place = f"corrections/{correction['id']}"
    changes = act(request, f"{place}/preview", method="GET")[1]["data"]
    assert changes == [
        {
            "record_id": "r-3",
            "before": {"id": "r-3", "text": "Jane Smithson came back", "score": 3},
            "after": {"id": "r-3", "text": "Jane left"},
        }
    ]
    assert act(request, f"{place}/apply")[0] == 403, "an officer proposes, and writes nothing"
    steward = caller(tenant, "data_steward")
    assert act(request, f"{place}/preview", method="GET", by=steward)[1]["data"] == changes
    status, applied = act(request, f"{place}/apply", by=steward)
    assert (status, bool(applied["applied_at"]), bool(applied["publication"])) == (200, True, True)
    found = {record.id: record.data for record in read_all(tenant, dataset)}
    assert found["r-3"] == {"id": "r-3", "text": "Jane left"}
    assert found["r-1"]["text"].startswith("Jane Smithson asked")
    with acting(tenant):
        versions = list(Version.objects.filter(dataset=dataset).order_by("sequence"))
    assert len(versions) == 2
    assert act(request, f"{place}/apply", by=steward)[1]["code"] == "VAULT_COMP_8063"
    assert act(request, "", method="GET")[1]["state"] == "executing"


def test_what_was_proposed_is_sealed(tenant, proposed) -> None:
    assert proposed[1]["patch_count"] == 1
    with acting(tenant), connection.cursor() as cursor:
        cursor.execute("SELECT t::text FROM compliance_correction t")
        assert b"Jane".hex() not in str(cursor.fetchall())


def test_a_correction_answers_rectification_alone(dataset, reviewed, act) -> None:  # noqa: F811
    patch = {"dataset_id": str(dataset.pk), "patches": [{"id": "r-3", "data": {"text": "x"}}]}
    assert act(reviewed(), "corrections", patch)[1]["code"] == "VAULT_COMP_8064"


@pytest.mark.parametrize("patches", [[], [{"data": {}}], [{"id": "a", "hold": 1}], [{"id": "a"}, {"id": "a"}]])
def test_what_is_no_patch_is_refused(dataset, reviewed, act, patches) -> None:  # noqa: F811
    body = {"dataset_id": str(dataset.pk), "patches": patches}
    assert act(reviewed(type="rectification"), "corrections", body)[0] == 400


def test_a_correction_of_another_request_is_none_of_this(tenant, reviewed, act, proposed) -> None:  # noqa: F811
    _, correction = proposed
    other = reviewed(type="rectification", contact="john@example.org")
    steward = caller(tenant, "data_steward")
    assert act(other, f"corrections/{correction['id']}/apply", by=steward)[1]["code"] == "VAULT_COMP_8062"


def test_a_masked_reader_previews_nothing(tenant, proposed) -> None:
    request, correction = proposed
    writer = caller(tenant, "ml_engineer")
    path = f"/subject-requests/{request['id']}/corrections/{correction['id']}/preview"
    assert send(writer, "GET", path).json()["code"] == "VAULT_COMP_8060"
