"""Fields that an access policy hides: however they are spelled, nested or listed."""

from typing import Any

import pytest

from access.services.authorize import Obligation
from anonymization.errors import ObligationUnmet
from anonymization.services.anonymizer import build_anonymizer
from tests.factories.access import acting

SECRET = "hidden-7031"


def shown(tenant: Any, data: dict[str, Any], *fields: str) -> str:
    with acting(tenant):
        anonymizer = build_anonymizer([Obligation("mask", fields=fields)], dataset_id=None, purpose="evaluation")
        return str(anonymizer.show({"data": data, "metadata": {}}, []))


@pytest.mark.parametrize(
    "data",
    [
        {"email": SECRET},
        {"Email": SECRET},
        {"E-Mail": SECRET},
        {"e_mail": SECRET},
        {"EMAIL": [SECRET, {"x": SECRET}]},
        {"person": {"contact": {"email": SECRET}}},
        {"people": [{"email": SECRET}, {"email": {"home": SECRET, "work": [SECRET]}}]},
        {"email": 7031},
    ],
    ids=str,
)
def test_a_hidden_name_is_hidden_wherever_it_stands(tenant: Any, data: dict[str, Any]) -> None:
    """T20: nested, listed, in other case or with hyphens."""
    found = shown(tenant, {**data, "kept": "as it is"}, "email")
    assert "7031" not in found
    assert "as it is" in found


def test_a_pointer_hides_its_place_alone(tenant: Any) -> None:
    data = {"user": {"id": SECRET, "name": "kept-a"}, "id": "kept-b", "list": [{"id": "kept-c"}]}
    found = shown(tenant, data, "/data/user/id")
    assert SECRET not in found
    assert all(kept in found for kept in ("kept-a", "kept-b", "kept-c"))
    assert "7031" not in shown(tenant, {"list": [{"ID": SECRET}]}, "/data/list/id")


def test_hiding_adds_to_what_else_is_asked_for(tenant: Any) -> None:
    with acting(tenant):
        both = build_anonymizer(
            [Obligation("anonymize", "mask"), Obligation("mask", fields=("note",))],
            dataset_id=None,
            purpose="evaluation",
        )
        assert SECRET not in str(both.show({"data": {"note": SECRET}, "metadata": {}}, []))
        assert not both.is_raw
        with pytest.raises(ObligationUnmet):
            build_anonymizer([Obligation("mask")], dataset_id=None, purpose="evaluation")
