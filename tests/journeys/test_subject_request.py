"""From the public form to the letter: a person asks, proves who they are, is found, has their data, and is erased."""

import io
import json
import re
import zipfile
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core import mail as outbox
from django.test import Client

from compliance.models import SubjectErasure, SubjectRequest
from compliance.requests.mail import send_due
from compliance.requests.package_work import run_package
from compliance.subjects.erasure_work import run_subject_erasure
from compliance.tasks import continue_subject_search
from datasets.services.erasure import work as record_work
from tests.factories.access import acting
from tests.factories.api import caller, send
from tests.factories.datasets import jsonl, make_dataset, read_all, upload
from tests.factories.subjects import ADA, EMAIL, NAME, ROWS, run_parts, search_for
from tests.vaultsite.conftest import plain_static  # noqa: F401 - a fixture

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("plain_static")]


@pytest.fixture
def dataset(tenant, monkeypatch):
    monkeypatch.setattr(record_work, "PLACE_SECONDS", 0.0)
    made = make_dataset(tenant)
    assert upload(tenant, made, jsonl(ROWS)).status == "succeeded"
    return made


@pytest.fixture
def officer(tenant):
    return caller(tenant, "privacy_officer")


def mailed():
    """The text of the one mail that goes out to the person now, whatever other tests left to be sent."""
    before = len(outbox.outbox)
    send_due()
    (one,) = (mail for mail in outbox.outbox[before:] if mail.to == [EMAIL])
    return one.body


def link_in(text):
    parts = urlsplit(re.findall(r"\S*/request/\S+", text)[0])
    return parts.path, {"token": parse_qs(parts.query)["token"][0]}


def asked_by_form(tenant, officer, kind):
    """A request that the person sent and confirmed; returns its path in the API."""
    opened = send(officer, "PUT", "/subject-requests/form", {"is_open": True, "law": "gdpr"}).json()
    somebody = Client(REMOTE_ADDR="198.51.100.77")
    form = {"type": kind, "name": NAME, "contact": EMAIL, "identifiers": "+49 30 1234567"}
    assert somebody.post(urlsplit(opened["address"]).path, form).status_code == 200
    path, token = link_in(mailed())
    assert somebody.post(path, token).status_code == 200
    with acting(tenant):
        request = SubjectRequest.objects.get(type=kind)
    assert (request.state, request.identity_method) == ("verified", "email_link")
    return f"/subject-requests/{request.pk}"


def found_and_reviewed(tenant, officer, request):
    """The search runs; the name alone proves nothing, and somebody says whose it is."""
    begun = send(officer, "POST", f"{request}/search", {})
    assert begun.status_code == 202
    search = begun.json()["search"]["id"]
    continue_subject_search(str(tenant.pk), search)
    matches = f"/subject-searches/{search}/matches"
    (pending,) = send(officer, "GET", f"{matches}?state=pending").json()["data"]
    assert pending["reason"] == "name"
    assert send(officer, "POST", f"{request}/answer", {"message": "Done."}).json()["code"] == "VAULT_COMP_8084"
    send(officer, "POST", matches, {"matches": [pending["id"]], "decision": "accepted"})


def answered_and_closed(officer, request):
    assert send(officer, "POST", f"{request}/answer", {"message": "This is our answer."}).status_code == 200
    assert mailed() == "This is our answer."
    closed = send(officer, "POST", f"{request}/move", {"to": "closed"}).json()
    assert (closed["state"], closed["outcome"]) == ("closed", "fulfilled")


def test_a_person_is_given_their_data(tenant, dataset, officer):
    request = asked_by_form(tenant, officer, "access")
    found_and_reviewed(tenant, officer, request)
    package = send(officer, "POST", f"{request}/package").json()
    run_package(tenant.pk, package["id"])
    assert send(officer, "POST", f"{request}/package/link").status_code == 202
    path, token = link_in(mailed())
    answer = Client(REMOTE_ADDR="198.51.100.77").post(path, token)
    archive = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))
    (one,) = json.loads(archive.read("data.json"))["datasets"]
    assert [record["id"] for record in one["records"]] == ["mail", "name", "phone"]
    answered_and_closed(officer, request)


def test_a_person_is_erased_and_has_the_letter_once_the_receipt_is_signed(tenant, dataset, officer):
    request = asked_by_form(tenant, officer, "erasure")
    found_and_reviewed(tenant, officer, request)
    begun = send(officer, "POST", f"{request}/erasure", {"legal_basis": "art17-1-a"})
    assert begun.status_code == 202
    early = send(officer, "POST", f"{request}/answer", {"message": "Done."}).json()
    assert (early["code"], early["reason"]) == ("VAULT_COMP_8070", "queued")
    with acting(tenant):
        erasure = SubjectErasure.objects.get(pk=begun.json()["erasure"]["id"])
    run_subject_erasure(tenant.pk, erasure.pk)
    run_parts(tenant, erasure)
    run_subject_erasure(tenant.pk, erasure.pk)
    receipt = send(officer, "GET", f"/subject-erasures/{erasure.pk}/receipt").content
    assert json.loads(receipt.partition(b"\n")[0])["case"] == request.rpartition("/")[2]
    answered_and_closed(officer, request)
    assert [record.id for record in read_all(tenant, dataset)] == ["like", "other"]
    own = {"request": 1}  # the file of the request itself stays, as the proof of what was asked and done
    assert search_for(tenant, ADA).counts == own
