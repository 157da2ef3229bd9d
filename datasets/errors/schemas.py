"""Schemas of records: 4401 to 4419."""

from collections.abc import Sequence

from datasets.errors.lines import RefusedLine
from vaultsite.kernel.errors import FieldProblem, VaultError


class InvalidSchema(VaultError):
    """A document that is no schema, or uses what is not supported; each error has the pointer into the document."""

    code, slug, status = "VAULT_DATA_4401", "invalid-schema", 400
    title = "The schema cannot be used"


class SchemaIncompatible(VaultError):
    """The new schema breaks the compatibility that was asked for; each error has the pointer into the schemas."""

    code, slug, status = "VAULT_DATA_4402", "schema-incompatible", 409
    title = "The schema is not compatible with the one before it"


class SchemaNotFound(VaultError):
    code, slug, status = "VAULT_DATA_4403", "schema-not-found", 404
    title = "No such schema"


class SchemaViolation(RefusedLine):
    """A record that breaks the active schema: where in its data, and which rule, never the value."""

    code, slug = "VAULT_DATA_4404", "schema-violation"
    title = "A record breaks the schema of its dataset"

    def __init__(self, problems: Sequence[tuple[str, str]], *, line: int) -> None:
        pointer, rule = problems[0]
        super().__init__(f"{pointer or 'the record'} {rule}", reason="schema", line=line)
        self.errors = tuple(FieldProblem(field=place or "/", detail=broken, line=line) for place, broken in problems)
        self.extra["pointer"] = self.pointer = pointer
