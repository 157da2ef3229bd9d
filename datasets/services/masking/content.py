"""What a record says without the personal data that was found in it."""

import re
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

from anonymization.findings import ACT_FROM, Finding
from anonymization.operators.rewrite import text_at
from anonymization.services.anonymize import apply, found_text

#: Finds what is personal in a record, given as ``{"data": .., "metadata": ..}``.
Detect: TypeAlias = Callable[[dict[str, Any]], list[Finding]]
#: What stands in place of personal data, and the numbers that keep names of members apart.
_LABEL: Final = re.compile(r"<[A-Z][A-Z0-9_]*>(#\d+)?|\[(WITHHELD|REDACTED)\]")


def personal(plain: dict[str, Any], findings: Sequence[Finding]) -> list[Finding]:
    """Those of the findings that are acted upon and cover more than labels. Raises FindingMismatch."""
    return [one for one in findings if one.score >= ACT_FROM and not _is_label(plain, one)]


def _is_label(plain: dict[str, Any], finding: Finding) -> bool:
    found_text(plain, finding)  # does it fit the record at all
    text = text_at(plain, finding)
    if "<" not in text and "[" not in text:
        return False
    blanked = _LABEL.sub(lambda label: " " * len(label[0]), text)
    return not any(char.isalnum() for char in blanked[finding.start : finding.end])


def masked(plain: dict[str, Any], findings: Sequence[Finding], detect: Detect) -> tuple[dict[str, Any], list[Finding]]:
    """The record with everything personal replaced by its kind, and what is found in that; looked at again each time.

    What cannot be replaced, such as the role in a chat, stays as it is, and so do its findings. Raises FindingMismatch,
    DetectionFailed.
    """
    while real := personal(plain, findings):
        shown = apply(plain, real, operator="replace")
        if shown == plain:
            break
        plain, findings = shown, detect(shown)
    return plain, list(findings)
