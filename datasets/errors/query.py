"""Queries: 4381 to 4399."""

from vaultsite.kernel.errors import FieldProblem, VaultError


class InvalidFilter(VaultError):
    """A filter that breaks a rule of its syntax.

    ``rule`` says which and never quotes an operand. ``pointer`` leads into the filter where it was JSON, ``position``
    is the number, from 1, of the character where it was text.
    """

    code, slug, status = "VAULT_DATA_4381", "invalid-filter", 400
    title = "The filter cannot be understood"

    def __init__(self, rule: str, *, pointer: str = "", position: int | None = None) -> None:
        where = "" if position is None else f"Character {position}: "
        problem = FieldProblem(field=f"/filter{pointer}", detail=where + rule)
        extra = {} if position is None else {"position": position}
        super().__init__(where + rule, errors=(problem,), **extra)
        self.rule = rule
        self.pointer = pointer
        self.position = position


class InvalidQuery(VaultError):
    """A member of a query other than its filter names no place in a record, or is nothing a query has."""

    code, slug, status = "VAULT_DATA_4382", "invalid-query", 400
    title = "The query has members that cannot be understood"


class AggregateRefused(VaultError):
    """Sums over hidden values answer questions about single people, so they are for readers of raw data alone."""

    code, slug, status = "VAULT_DATA_4383", "aggregate-refused", 403
    title = "Aggregates are not released under an obligation to anonymize"
    outcome = "denied"


class TooManyGroups(VaultError):
    code, slug, status = "VAULT_DATA_4384", "too-many-groups", 422
    title = "The query makes more groups than are counted at once"


class TextTooLong(VaultError):
    code, slug, status = "VAULT_DATA_4386", "text-too-long", 422
    title = "The least or greatest is a text too long to be answered with"


class QueryTooLong(VaultError):
    """An aggregate has no page to stop at: it is done within its time or not at all."""

    code, slug, status = "VAULT_DATA_4385", "query-too-long", 422
    title = "The aggregate takes longer than a query may"
