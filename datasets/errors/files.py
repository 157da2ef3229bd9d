"""Uploaded files, what is wrong with the file as a whole or with how it is sent: 4111 to 4119."""

from typing import Final

from vaultsite.kernel.errors import FieldProblem, VaultError

CONTENT_ENCODINGS: Final = "Send the file as it is, or compressed once with gzip or zstd"


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


class FormatUnavailable(VaultError):
    """The format needs a package that is not installed here; the detail says which to install."""

    code, slug, status = "VAULT_DATA_4114", "format-unavailable", 501
    title = "The format is not available here"

    def __init__(self, *, extra: str) -> None:
        super().__init__(f"Install the optional packages: pip install 'llm-data-vault[{extra}]'", missing=extra)


class UnsupportedEncoding(VaultError):
    """The Content-Encoding of an upload is not one of gzip and zstd, once."""

    code, slug, status = "VAULT_DATA_4115", "unsupported-encoding", 415
    title = "The body is encoded in a way that is not undone"

    def __init__(self) -> None:
        super().__init__(CONTENT_ENCODINGS)


class ContradictoryOptions(VaultError):
    """Two options of an upload that cannot go together, or one that cannot be what it says."""

    code, slug, status = "VAULT_DATA_4116", "contradictory-options", 400
    title = "The options of the upload contradict each other"

    def __init__(self, detail: str, *, field: str) -> None:
        super().__init__(detail, errors=(FieldProblem(field=field, detail=detail),))
