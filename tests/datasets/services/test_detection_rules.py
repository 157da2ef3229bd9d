"""Rules over detections where records are written, read and removed."""

from anonymization.models import FindingFeedback
from anonymization.services.feedback import NewFeedback, Snippet, give_feedback
from anonymization.services.trust_rules import NewListEntry, add_list_entry
from datasets.selectors import head_of
from datasets.services.commit import read_profile
from tests.factories.access import acting, principal_with
from tests.factories.datasets import jsonl, make_dataset, purge, read_all, upload

ROWS = [{"id": "r1", "text": "the zebrafish plan is on, write to info@acme.example"}, {"id": "r2", "text": "nothing"}]


def listed(tenant, list_name, value):
    officer = principal_with(tenant, "privacy_officer")
    with acting(tenant, officer):
        add_list_entry(officer, new=NewListEntry(list_name, "value", "tests", value=value))


def shown(tenant, dataset):
    return read_all(tenant, dataset, role="data_scientist")[0].data["text"]


def test_a_denied_value_is_hidden_in_records_stored_before_and_counted_in_those_that_come(tenant):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl(ROWS))
    assert "zebrafish" in shown(tenant, dataset)
    listed(tenant, "deny", "Zebrafish")
    assert "zebrafish" not in shown(tenant, dataset)
    other = make_dataset(tenant)
    for _ in range(2):
        upload(tenant, other, jsonl(ROWS))
    with acting(tenant):
        assert read_profile(head_of(other))["/data/text", "SENSITIVE"] == 1
        assert ("/data/text", "SENSITIVE") not in read_profile(head_of(dataset))


def test_an_allowed_value_is_shown_from_the_next_read_on(tenant):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl(ROWS))
    assert "info@acme.example" not in shown(tenant, dataset)
    listed(tenant, "allow", "info@acme.example")
    assert "info@acme.example" in shown(tenant, dataset)


def test_what_feedback_quotes_goes_with_the_dataset(tenant):
    dataset, steward = make_dataset(tenant), principal_with(tenant, "data_steward")
    with acting(tenant, steward):
        new = NewFeedback(
            "missed", "PERSON", Snippet("Falcon", 0, 6, "/data/text"), dataset_id=dataset.pk, record_id="r1"
        )
        give_feedback(steward, new=new)
    purge(tenant, dataset)
    with acting(tenant):
        assert not FindingFeedback.objects.exists()
