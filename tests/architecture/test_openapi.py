"""The committed description of the API is the one the code gives, and it covers every path under /api/v1."""

from io import StringIO
from pathlib import Path

import yaml
from django.core.management import call_command

COMMITTED = Path(__file__).parents[2] / "docs" / "reference" / "openapi.yaml"


def _generated() -> str:
    out = StringIO()
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=out)
    return out.getvalue()


def test_the_committed_description_is_current():
    assert COMMITTED.read_text(encoding="utf-8").strip() == _generated().strip(), "run `make schema`"


def test_every_operation_says_how_it_is_authenticated_and_what_it_answers():
    paths = yaml.safe_load(COMMITTED.read_text(encoding="utf-8"))["paths"]
    assert {"/api/v1/datasets", "/api/v1/detect-pii", "/api/v1/audit/events"} <= set(paths)
    for path, operations in paths.items():
        for method, operation in operations.items():
            assert operation["security"], (path, method)
            assert operation["responses"], (path, method)
