"""Uploaded files, what is wrong with one line: 4101 to 4110."""

from vaultsite.kernel.errors import FieldProblem, VaultError


class RefusedLine(VaultError):
    """One line of an upload that cannot become a record.

    ``reason`` is a stable word for programs (``duplicate-key``), ``line`` the number, from 1, of the physical line
    where the record starts. The detail says what rule was broken and never quotes the line.
    """

    status = 400

    def __init__(self, detail: str, *, reason: str, line: int) -> None:
        problem = FieldProblem(field="line", detail=detail, line=line)
        super().__init__(f"Line {line}: {detail}", errors=(problem,), reason=reason, line=line)
        self.rule = detail
        self.reason = reason
        self.line = line


class MalformedRecord(RefusedLine):
    code, slug = "VAULT_DATA_4101", "malformed-record"
    title = "A line is not a record of the declared format"


class RecordTooLong(RefusedLine):
    code, slug, status = "VAULT_DATA_4102", "record-too-long", 413
    title = "A record is longer than allowed"


class WrongEncoding(RefusedLine):
    code, slug = "VAULT_DATA_4103", "wrong-encoding"
    title = "The file is not UTF-8 text"


class InvalidRecordId(RefusedLine):
    code, slug = "VAULT_DATA_4104", "invalid-record-id"
    title = "A record id is missing or has a form that is not allowed"


class PersonalRecordId(RefusedLine):
    """Ids outlive the data (proofs, receipts, audit), so one that names a person is refused."""

    code, slug = "VAULT_DATA_4105", "personal-record-id"
    title = "A record id is personal data by its shape"


class DuplicateRecordId(RefusedLine):
    """Two records of one upload have the same id; ``first_line`` names the earlier one."""

    code, slug = "VAULT_DATA_4106", "duplicate-record-id"
    title = "A record id occurs twice in one upload"

    def __init__(self, *, first_line: int, line: int) -> None:
        detail = f"the record has the same id as the one of line {first_line}"
        super().__init__(detail, reason="duplicate-id", line=line)
        self.extra["first_line"] = self.first_line = first_line


class ShapeMismatch(RefusedLine):
    """The record has not the shape its upload was declared or found to have; ``pointer`` leads to where it breaks."""

    code, slug = "VAULT_DATA_4107", "shape-mismatch"
    title = "A record has not the shape of its upload"

    def __init__(self, detail: str, *, reason: str, line: int, pointer: str) -> None:
        super().__init__(detail, reason=reason, line=line)
        self.errors = (FieldProblem(field=pointer, detail=detail, line=line),)
        self.extra["pointer"] = self.pointer = pointer
