"""NULs and numbers of any length, in whatever a request may hold, are bad requests and never errors of ours."""

import inspect
import re
from pathlib import Path
from uuid import uuid4

import pytest
import yaml
from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, reverse

from tests.factories.api import caller, send
from tests.factories.datasets import jsonl, make_dataset, upload
from tests.factories.pages import browser_of
from tests.vaultsite.conftest import plain_static, quick_passwords  # noqa: F401 - fixtures
from vaultsite.kernel.api.pagination import encode_cursor

pytestmark = pytest.mark.usefixtures("plain_static", "quick_passwords")
ROOT = Path(settings.BASE_DIR)
LONG, LONGER = "9" * 40, "9" * 5000
ROLES = ("privacy_officer", "data_steward", "tenant_admin", "auditor")
_NAMES = re.compile(r"""(?:GET|POST|given|query_params|data)(?:\.get(?:list)?\(|\[)\s*"(\w+)\"""")
_DOES = re.compile(r'name="do"\s+value="(\w+)"')


@pytest.fixture
def dataset(tenant):
    made = make_dataset(tenant)
    upload(tenant, made, jsonl([{"id": "r1", "text": "nothing"}]))
    return made


def listings():
    """Every path of the described REST that is read, with the names of its query."""
    described = yaml.safe_load((ROOT / "docs/reference/openapi.yaml").read_text())["paths"]
    for path, methods in sorted(described.items()):
        if "get" in methods:
            given = methods["get"].get("parameters", [])
            yield path, [one["name"] for one in given if one.get("in") == "query"]


def filled(path, dataset):
    path = path.removeprefix("/api/v1").replace("{dataset_id}", str(dataset.pk))
    path = re.sub(r"\{(version|branch|name)\}", "main", path)
    return re.sub(r"\{\w+\}", str(uuid4()), path.replace("{number}", "1").replace("{year}", "2026"))


def test_no_query_of_the_rest_makes_an_error_of_ours(tenant, dataset):
    client, broken, asked = caller(tenant, *ROLES), [], 0
    for path, names in listings():
        values = {name: [LONG] for name in names}
        if "limit" in names:
            values["limit"] = [LONG, LONGER, "-1", "1e3"]
        if "cursor" in names:
            values["cursor"] = [encode_cursor(members) for members in ([LONG], [LONGER], [LONG, str(uuid4())], ["\0"])]
        for name, texts in values.items():
            for text in texts:
                asked += 1
                answer = client.get(f"/api/v1{filled(path, dataset)}", {name: text})
                if answer.status_code >= 500:
                    broken.append((path, name, text[:12], answer.status_code))
        nul = client.get(f"/api/v1{filled(path, dataset)}", dict.fromkeys(names or ["x"], "a\0"))
        if nul.status_code != 400:
            broken.append((path, "NUL", nul.status_code))
    assert asked > 100
    assert broken == []


@pytest.mark.parametrize("text", [LONG, LONGER, "\0", "\ud800", "", "²"])
def test_cursors_of_policies_versions_are_numbers(tenant, text):
    client = caller(tenant, *ROLES)
    made = send(
        client,
        "POST",
        "/anonymization/policies",
        {"name": "ours", "document": {"format": 1, "default": {"strategy": "redact"}, "rules": []}},
    ).json()
    try:
        cursor = encode_cursor([text])
    except TypeError:
        return  # such a string is no JSON: there is no cursor of it
    answer = send(client, "GET", f"/anonymization/policies/{made['id']}/versions?cursor={cursor}")
    assert answer.status_code == 400, answer.content


def pages():
    """Every page of ours behind the admin: its pattern, and the file its view is written in."""
    for pattern in admin.site.get_urls():
        if isinstance(pattern, URLPattern) and str(pattern.pattern).startswith("privacy/"):
            yield pattern, f"admin:{pattern.name}"
    for urls in (one.urls for one in admin.site._registry.values()):
        for pattern in urls:
            if re.fullmatch(r"datasets_(?!\w+_(?:changelist|add|history|delete|change)$)\w+", pattern.name or ""):
                yield pattern, f"admin:{pattern.name}"


def page_path(pattern, name, dataset):
    given = {}
    for part, converter in pattern.pattern.converters.items():
        is_uuid = type(converter).__name__ == "UUIDConverter"
        given[part] = (dataset.pk if part == "dataset_id" else uuid4()) if is_uuid else "main"
        if type(converter).__name__ == "IntConverter":
            given[part] = 1
    return reverse(name, kwargs=given)


def fields_of(pattern):
    """The names a page asks its query and forms for, and what its buttons say to do."""
    source = Path(inspect.getsourcefile(inspect.unwrap(pattern.callback))).read_text()
    every = {do for page in (ROOT / "templates/vault").glob("*.html") for do in _DOES.findall(page.read_text())}
    return set(_NAMES.findall(source)), {do for do in every if f'"{do}"' in source} | {""}


def test_no_page_makes_an_error_of_ours(tenant, dataset):
    browser = browser_of(tenant, *ROLES, purpose="evaluation")
    found, broken = list(pages()), []
    assert len(found) > 20
    for pattern, name in found:
        path, (names, does) = page_path(pattern, name, dataset), fields_of(pattern)
        for text, refused in ((LONG, False), ("a\0", True)):
            answer = browser.get(path, dict.fromkeys(names or {"x"}, text))
            if answer.status_code >= 500 or (refused and answer.status_code != 400):
                broken.append(("GET", name, refused, answer.status_code))
            for do in sorted(does) if not refused else [""]:
                answer = browser.post(path, dict.fromkeys(names or {"x"}, text) | {"do": do})
                if answer.status_code >= 500 or (refused and answer.status_code not in {400, 403, 405}):
                    broken.append(("POST", name, do, refused, answer.status_code))
    assert broken == []
