"""Uploaded files, what is wrong with the file as a whole: 4111 to 4119."""

from vaultsite.kernel.errors import FieldProblem, VaultError


class RefusedFile(VaultError):
    """The whole upload is unusable from ``line`` on (the line being read; None before the first is known)."""

    status = 400

    def __init__(self, detail: str, *, reason: str, line: int | None = None) -> None:
        where = "" if line is None else f"Line {line}: "
        problem = FieldProblem(field="file", detail=detail, line=line)
        super().__init__(where + detail, errors=(problem,), reason=reason, line=line)
        self.rule = detail
        self.reason = reason
        self.line = line

    def at_line(self, line: int) -> "RefusedFile":
        """The same error, saying at which line the file could not be read further."""
        return type(self)(self.rule, reason=self.reason, line=line)


class UnreadableFile(RefusedFile):
    code, slug = "VAULT_DATA_4111", "unreadable-file"
    title = "The compressed file is damaged or cut off"


class DecompressionLimit(RefusedFile):
    code, slug, status = "VAULT_DATA_4112", "decompression-limit", 413
    title = "The file grows beyond what is allowed when decompressed"


class InvalidHeader(RefusedFile):
    code, slug = "VAULT_DATA_4113", "invalid-header"
    title = "The header row of the file cannot name the members of a record"
