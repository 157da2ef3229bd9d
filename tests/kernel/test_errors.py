"""Rules of the errors' base: what a subclass must say, and what it becomes."""

import pytest

from vaultsite.kernel.errors import FieldProblem, InvalidInput, KeyUnavailable, VaultError, catalogue


class Group(VaultError):
    """No code of its own: groups others."""

    status = 418


def test_a_class_without_a_code_is_not_in_the_catalogue():
    assert Group not in set(catalogue())


def test_the_catalogue_is_in_order_of_code():
    codes = [error.code for error in catalogue()]
    assert codes == sorted(codes)


@pytest.mark.parametrize(
    "code",
    ["VAULT_VALID_2999", "VAULT_VALID_4000", "VAULT_VALID_", "VAULT_VALID_3x", "VALID_3", "VAULT_NEW_3001", "3001", ""],
)
def test_a_code_outside_its_range_cannot_be_defined(code):
    with pytest.raises(TypeError, match="outside the range"):
        type("Stray", (VaultError,), {"code": code, "__module__": "vaultsite.kernel.errors"})


@pytest.mark.parametrize(
    ("code", "module"), [("VAULT_DATA_4999", "access.errors"), ("VAULT_SYS_9999", "datasets.errors")]
)
def test_a_code_belongs_to_its_app(code, module):
    with pytest.raises(TypeError, match="outside the range"):
        type("Stray", (VaultError,), {"code": code, "__module__": module})


def test_a_code_is_given_once():
    with pytest.raises(TypeError, match="VAULT_VALID_3001 is already InvalidInput"):
        type("Double", (VaultError,), {"code": "VAULT_VALID_3001", "__module__": "vaultsite.kernel.errors"})


def test_a_problem_has_the_members_of_rfc_9457_and_ours():
    error = InvalidInput(
        "Two members", errors=[FieldProblem("/name", "too long"), FieldProblem("line", "no", 7)], limit=3
    )
    assert error.as_problem(trace_id="t") == {
        "type": "urn:llm-data-vault:error:invalid-input",
        "title": "The request has invalid members",
        "status": 400,
        "code": "VAULT_VALID_3001",
        "detail": "Two members",
        "trace_id": "t",
        "errors": [{"field": "/name", "detail": "too long"}, {"field": "line", "detail": "no", "line": 7}],
        "limit": 3,
    }


def test_what_is_not_known_is_left_out():
    assert set(KeyUnavailable().as_problem()) == {"type", "title", "status", "code"}


def test_an_error_reads_as_its_detail_or_its_title():
    assert str(InvalidInput("this")) == "this"
    assert str(InvalidInput()) == InvalidInput.title
