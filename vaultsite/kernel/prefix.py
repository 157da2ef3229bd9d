"""The beginning of a text, asked in a way that row-level security lets an index answer."""

from typing import Any

from django.db.models import BooleanField, Lookup
from django.db.models.sql.compiler import SQLCompiler


class BeginsWith(Lookup):
    """Whether a column of collation C begins with a text: ``rows.filter(BeginsWith(F("name"), "sup"))``.

    PostgreSQL's ``^@`` leaks nothing, so that it is asked of the index before the policy of the row; LIKE is not.
    """

    lookup_name = "begins_with"
    output_field = BooleanField()

    def as_sql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, tuple[str | int, ...]]:
        left, left_params = self.process_lhs(compiler, connection)
        right, right_params = self.process_rhs(compiler, connection)
        return f"{left} ^@ {right}", (*left_params, *right_params)
