"""Looking through the findings of a version, and giving feedback on one: for readers of raw records."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from access.errors import AccessDenied
from access.services.authorize import may
from anonymization.findings import Finding
from anonymization.models import FindingFeedback
from anonymization.services.feedback import NewFeedback, Snippet, give_feedback
from anonymization.services.trust import load_trust
from anonymization.trust.texts import text_of, values_of
from anonymization.trust.trust import Judgement
from datasets.services.read import ReadRecord, Release, open_release, read_record, read_records
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.tenancy.principal import Principal

#: Records looked through for one page, and findings shown on it.
RECORDS: Final = 500
SAMPLES: Final = 30
#: A record with more findings shows as many of them.
_MOST: Final = 100
#: Characters of the text shown on either side of a finding.
AROUND: Final = 80


@dataclass(frozen=True)
class Wanted:
    """Which findings to show: those of a type and recognizer (empty: all), from a score on."""

    entity_type: str = ""
    recognizer: str = ""
    least_score: float = 0.0
    after: str | None = None


@dataclass(frozen=True)
class Sample:
    """One finding in its surroundings."""

    record_id: str
    judged: Judgement
    snippet: Snippet


@dataclass(frozen=True)
class Review:
    """``next_after`` is the record id after which there may be more; ``looked_at`` how many records were."""

    samples: tuple[Sample, ...]
    recognizers: tuple[str, ...]
    looked_at: int
    next_after: str | None


def review_findings(release: Release, wanted: Wanted) -> Review:
    """The next findings of a version, in the open scope. Raises AccessDenied unless the release is raw, NotScanned."""
    if not release.is_raw:
        raise AccessDenied
    trust = load_trust(release.dataset.pk)
    samples: list[Sample] = []
    recognizers: set[str] = set()
    last, looked_at = None, 0
    for record in read_records(release, after=wanted.after, limit=RECORDS, with_findings=True):
        last, looked_at = record.id, looked_at + 1
        judged = trust.judged({"data": record.data, "metadata": record.metadata}, record.findings)
        recognizers.update(one.finding.recognizer for one in judged)
        samples.extend(_sample(record, one) for one in sorted(judged, key=lambda one: one.finding) if _is(one, wanted))
        if len(samples) >= SAMPLES:
            break
    release.note_leaving(one.record_id for one in samples[:_MOST])
    is_cut = looked_at == RECORDS or len(samples) >= SAMPLES
    return Review(tuple(samples[:_MOST]), tuple(sorted(recognizers)), looked_at, last if is_cut else None)


def _is(judged: Judgement, wanted: Wanted) -> bool:
    finding = judged.finding
    return (
        wanted.entity_type in {"", finding.entity_type}
        and wanted.recognizer in {"", finding.recognizer}
        and finding.score >= wanted.least_score
    )


def _sample(record: ReadRecord, judged: Judgement) -> Sample:
    finding = judged.finding
    text = text_of({"data": record.data, "metadata": record.metadata}, finding)
    first = max(0, finding.start - AROUND)
    shown = text[first : finding.end + AROUND]
    return Sample(record.id, judged, Snippet(shown, finding.start - first, finding.end - first, finding.pointer))


@dataclass(frozen=True)
class Mark:
    """What a reader marks: a finding by its place and type, or, as missed, the words that were not found."""

    record_id: str
    pointer: str
    entity_type: str
    start: int = 0
    end: int = 0
    part: str = "value"
    missed: str = ""
    comment: str = ""


def mark_finding(principal: Principal, *, dataset_id: UUID, version: str, mark: Mark) -> FindingFeedback:
    """Feedback on a finding of a record, or on words of it that none covers; the text is taken from the record.

    Raises what open_release raises, AccessDenied unless records are read raw, RecordNotFound, InvalidInput.
    """
    release = open_release(principal, dataset_id=dataset_id, version=version)
    if not release.is_raw or not may(principal, "finding.review"):
        raise AccessDenied
    record = read_record(release, mark.record_id)
    found = _missed(record, mark) if mark.missed else _marked(record, mark)
    text = text_of({"data": record.data, "metadata": record.metadata}, found)
    new = NewFeedback(
        verdict="missed" if mark.missed else "false_positive",
        entity_type=found.entity_type,
        snippet=Snippet(text, found.start, found.end, found.pointer),
        dataset_id=dataset_id,
        version_id=release.version.pk,
        record_id=record.id,
        recognizer=found.recognizer,
        score=None if mark.missed else found.score,
        comment=mark.comment,
    )
    return give_feedback(principal, new=new)


def _marked(record: ReadRecord, mark: Mark) -> Finding:
    wanted = (mark.pointer, mark.part, mark.start, mark.end, mark.entity_type)
    for one in record.findings:
        if (one.pointer, one.part, one.start, one.end, one.entity_type) == wanted:
            return one
    raise InvalidInput(errors=[FieldProblem("/finding", "the record has no such finding")])


def _missed(record: ReadRecord, mark: Mark) -> Finding:
    """A finding over the first place in the record's texts, or in the one named, that holds the words."""
    for pointer, text in _texts(record):
        start = text.find(mark.missed) if mark.pointer in {"", pointer} else -1
        if start >= 0:
            return Finding(pointer, "value", start, start + len(mark.missed), mark.entity_type, 1.0, "")
    raise InvalidInput(errors=[FieldProblem("/missed", "these words do not stand in the record")])


def _texts(record: ReadRecord) -> Iterator[tuple[str, str]]:
    whole = {"data": record.data, "metadata": record.metadata}
    for pointer, length in values_of(whole):
        yield pointer, text_of(whole, Finding(pointer, "value", 0, length, "", 1.0, ""))
