"""The statistics page: questions, answers with margins, and what is left to ask."""

import pytest

from anonymization.models import BudgetSpend
from tests.factories.access import acting
from tests.factories.datasets import jsonl, make_dataset, upload
from tests.factories.guaranteed import declare_rules
from tests.factories.pages import browser_of
from tests.vaultsite.conftest import plain_static, quick_passwords  # noqa: F401 - fixtures

pytestmark = pytest.mark.usefixtures("plain_static", "quick_passwords")

EMPTY = {"kind": "", "field": "", "low": "", "high": "", "keys": "", "quantile": "", "epsilon": "", "delta": ""}


@pytest.fixture
def dataset(tenant):
    made = make_dataset(tenant)
    rows = [{"person": n, "age": 20 + n % 40, "city": "Springfield" if n % 2 else "Ogdenville"} for n in range(200)]
    upload(tenant, made, jsonl(rows))
    declare_rules(tenant, made)
    return made


@pytest.fixture
def analyst(tenant):
    return browser_of(tenant, "analyst", purpose="analytics")


def ask(browser, dataset, *questions, **facts):
    columns = {name: [(EMPTY | question)[name] for question in questions] for name in EMPTY}
    body = {"subject": "person", "version": "main", "contributions": "1", "expression": ""} | columns | facts
    return browser.post(f"/admin/datasets/dataset/{dataset.pk}/statistics/", body)


COUNT = {"kind": "count", "epsilon": "0.5"}


def test_the_form_shows_what_may_still_be_asked(analyst, dataset):
    page = analyst.get(f"/admin/datasets/dataset/{dataset.pk}/statistics/").content.decode()
    assert 'aria-label="3 of 3 epsilon left"' in page
    assert "Ask and spend" in page


def test_answers_come_with_margins_and_the_gauge_falls(analyst, dataset):
    mean = {"kind": "mean", "field": "age", "low": "0", "high": "100", "epsilon": "1"}
    cities = {"kind": "histogram", "field": "city", "keys": "Springfield, Ogdenville", "epsilon": "0.5"}
    answer = ask(analyst, dataset, COUNT, mean, cities)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "1. count" in page
    assert "2. mean of age" in page
    assert "Ogdenville" in page
    assert "v-whisker" in page
    assert 'aria-label="1 of 3 epsilon left"' in page
    again = ask(analyst, dataset, COUNT, mean, cities).content.decode()
    assert "at no cost" in again
    assert 'aria-label="1 of 3 epsilon left"' in again


def test_a_budget_that_is_used_up_is_said_on_the_page(tenant, analyst, dataset):
    assert ask(analyst, dataset, COUNT | {"epsilon": "2.9"}).status_code == 200
    refused = ask(analyst, dataset, COUNT)
    assert refused.status_code == 403
    assert "VAULT_ANON_6070" in refused.content.decode()
    assert 'aria-label="0.1 of 3 epsilon left"' in refused.content.decode()
    with acting(tenant):
        assert BudgetSpend.objects.count() == 1


@pytest.mark.parametrize(
    "question", [{}, {"kind": "count"}, {"kind": "sum", "field": "age", "epsilon": "1"}, COUNT | {"epsilon": "x"}]
)
def test_a_question_that_is_none_is_refused_and_what_was_typed_stays(analyst, dataset, question):
    refused = ask(analyst, dataset, question, subject="person")
    assert refused.status_code == 400
    assert "VAULT_ANON_6072" in refused.content.decode()
    assert 'value="person"' in refused.content.decode()


def test_an_open_histogram_says_what_is_not_told(analyst, dataset):
    page = ask(analyst, dataset, {"kind": "histogram", "field": "city", "epsilon": "2", "delta": "1e-6"})
    assert "are not told" in page.content.decode()
    lonely = ask(analyst, dataset, {"kind": "histogram", "field": "person", "epsilon": "0.5", "delta": "1e-9"})
    assert "No key reached the threshold." in lonely.content.decode()


def test_who_may_not_ask_is_refused(tenant, dataset):
    viewer = browser_of(tenant, "viewer", purpose="analytics")
    assert viewer.get(f"/admin/datasets/dataset/{dataset.pk}/statistics/").status_code == 403
    assert ask(viewer, dataset, COUNT).status_code == 403
