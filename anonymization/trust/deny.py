"""The deny-list as a detector: what must be found although no recognizer sees it."""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Final

from anonymization.detectors.base import Detector, Span
from anonymization.trust.patterns import PatternSet, compile_pattern, scannable
from anonymization.trust.rules import DenyRule

#: What findings of the list name as their recognizer; their ``pattern`` is the id of the entry.
DENY_RECOGNIZER: Final = "deny-list"


class DenyList(Detector):
    """One pass tells which entries occur; only those are located. Runs in time linear in the text."""

    name = DENY_RECOGNIZER
    version = "1"

    def __init__(self, rules: Sequence[DenyRule]) -> None:
        self._rules = tuple(rules)
        self._set = PatternSet([rule.pattern for rule in rules])
        told = repr([(rule.pattern, rule.entity_type) for rule in rules])
        self._content_hash = hashlib.sha256(told.encode("utf-8", "surrogatepass")).digest()

    @property
    def content_hash(self) -> bytes:
        return self._content_hash

    def detect_texts(self, texts: Sequence[str]) -> list[list[Span]]:
        return [sorted(self._spans(scannable(text))) if text else [] for text in texts]

    def _spans(self, text: str) -> Iterator[Span]:
        for index in self._set.occurring(text):
            rule = self._rules[index]
            for match in compile_pattern(rule.pattern).finditer(text):
                start, end = match.span()
                if start < end and not (rule.is_value and _is_within_word(text, start, end)):
                    yield Span(start, end, rule.entity_type, 1.0, DENY_RECOGNIZER, str(rule.id), "", ("deny",))


def _is_within_word(text: str, start: int, end: int) -> bool:
    r"""Whether a value of a single word goes on in letters that the ``\b`` of RE2 does not know.

    Values of several words are taken as found: one of them could begin within a match that was passed over.
    """
    if not text[start:end].isalnum():
        return False
    return text[start - 1 : start].isalnum() or text[end : end + 1].isalnum()
