"""Rules of laying a record out for a page."""

from anonymization.findings import Finding
from datasets.services.read import ReadRecord
from datasets.shown_record import LISTED, Segment, entity_words, show_record


def finding(
    pointer: str, start: int, end: int, entity_type: str = "EMAIL_ADDRESS", score: float = 0.9, *, part="value"
):
    return Finding(pointer, part, start, end, entity_type, score, "test")


def texts(segments) -> list[tuple[str, str]]:
    return [(segment.text, segment.entity_type) for segment in segments]


def test_a_finding_is_marked_where_it_stands() -> None:
    record = ReadRecord("r", {"text": "to a@b.example now"}, {}, (finding("/data/text", 3, 14),))
    (line,) = show_record(record).lines
    assert texts(line.value) == [("to ", ""), ("a@b.example", "EMAIL_ADDRESS"), (" now", "")]


def test_overlapping_findings_are_one_stretch_named_by_the_surest() -> None:
    found = (
        finding("/data/t", 0, 6, "PHONE_NUMBER", 0.5),
        finding("/data/t", 4, 9, "US_SSN", 0.8),
        finding("/data/t", 9, 10, "URL"),
    )
    (line,) = show_record(ReadRecord("r", {"t": "0123456789"}, {}, found)).lines
    assert texts(line.value) == [("012345678", "US_SSN"), ("9", "URL")]
    assert "PHONE_NUMBER 0.50" in line.value[0].note


def test_weak_findings_are_not_shown() -> None:
    record = ReadRecord("r", {"t": "maybe"}, {}, (finding("/data/t", 0, 5, score=0.39),))
    assert show_record(record).lines[0].value == (Segment("maybe"),)
    assert show_record(record).findings == ()


def test_findings_in_member_names_numbers_and_escaped_pointers_are_marked() -> None:
    found = (
        finding("/data/a~1b@x.example", 0, 11, part="key"),
        finding("/data/n/0", 0, 4, "ID_NUMBER"),
    )
    lines = show_record(ReadRecord("r", {"a/b@x.example": 1, "n": [1234, None]}, {}, found)).lines
    assert texts(lines[0].key) == [("a/b@x.examp", "EMAIL_ADDRESS"), ("le", "")]
    assert texts(lines[2].value) == [("1234", "ID_NUMBER")]
    assert texts(lines[3].value) == [("null", "")]


def test_a_conversation_is_laid_out_as_turns() -> None:
    turns = [
        {"role": "user", "content": "Hello a@b.example"},
        {"role": "assistant", "content": None, "tool_calls": [{"id": "c"}]},
        {"role": "Robert'); DROP", "content": [{"type": "text"}]},
    ]
    shown = show_record(
        ReadRecord("r", {"messages": turns, "topic": "t"}, {}, (finding("/data/messages/0/content", 6, 17),))
    )
    assert [message.role for message in shown.messages] == ["user", "assistant", "other"]
    assert texts(shown.messages[0].text)[1] == ("a@b.example", "EMAIL_ADDRESS")
    assert shown.messages[1].text == ()
    assert shown.messages[1].more
    assert [line.key for line in shown.lines] == [(Segment("topic"),)]


def test_what_only_looks_like_a_conversation_is_json() -> None:
    for value in ([], [{"role": 1}], [{"content": "x"}], "text", [["role"]]):
        assert show_record(ReadRecord("r", {"messages": value}, {})).messages == ()


def test_a_list_shows_no_more_of_a_record_than_its_share() -> None:
    longest, most = LISTED
    turn = {"role": "user", "content": "x" * 1000} | {f"k{n}": n for n in range(50)}
    shown = show_record(ReadRecord("r", {"messages": [turn] * 400, "rest": ["y"] * 400}, {}), is_whole=False)
    assert shown.is_cut
    lines = len(shown.messages) + sum(len(message.more) for message in shown.messages) + len(shown.lines)
    assert lines <= most
    assert sum(len(part.text) for message in shown.messages for part in message.text) <= longest


def test_a_finding_beyond_the_cut_does_no_harm() -> None:
    longest, _ = LISTED
    record = ReadRecord("r", {"t": "x" * (longest + 50)}, {}, (finding("/data/t", longest + 10, longest + 20),))
    shown = show_record(record, is_whole=False)
    assert shown.is_cut
    assert all(not segment.entity_type for segment in shown.lines[0].value)


def test_entity_types_read_as_words() -> None:
    assert [entity_words(name) for name in ("US_SSN", "EMAIL_ADDRESS", "IBAN_CODE")] == [
        "US SSN",
        "email address",
        "IBAN code",
    ]
