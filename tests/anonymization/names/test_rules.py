import time

import pytest

from anonymization.detectors.base import Span
from anonymization.names.rules import ages, dates, titles, without_overlaps
from anonymization.names.tokens import lines_of


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Signed on 31 May 1991 in person.", ["31 May 1991"]),
        ("It ran from 12 to 14 June 2001.", ["12 to 14 June 2001"]),
        ("Monday, 3rd of March, suits me", ["Monday, 3rd of March"]),
        ("Due January 5th, 2020 at noon", ["January 5th, 2020"]),
        ("log 2020-01-02T10:00:00Z ok", ["2020-01-02T10:00:00Z"]),
        ("dated 10.12.1999 and 3/4/21", ["10.12.1999", "3/4/21"]),
        ("from March to May 2003", ["March to May 2003"]),
        ("Expires 5/2019, or Sept. 11", ["5/2019", "Sept. 11"]),
        ("in the late 1980s and the 1990s", ["late 1980s", "1990s"]),
        ("she was born in 1925 (1925)", ["1925", "1925"]),
        ("see you on Thursday at 10:30 am", ["Thursday", "10:30 am"]),
        ("the winter of 1947", ["winter of 1947"]),
        ("in December, not in may", ["December"]),
    ],
)
def test_dates_are_found(text, expected):
    assert [text[span.start : span.end] for span in dates(text, lines_of(text))] == expected


@pytest.mark.parametrize(
    "text",
    [
        "application no. 18403/91 was lodged",
        "upgrade to version 10.2.2020.5 now",
        "we sold 2000 apples and 1999 pears",
        "You may go. March on! She will sun herself.",
        "error code 2014, port 1883",
        "order 20231105998",
        "about 1950 km away",
    ],
)
def test_other_numbers_and_words_are_no_dates(text):
    assert dates(text, lines_of(text)) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("She is 45 years old.", ["45"]),
        ("a 33-year-old man, aged 7 then 71", ["33"]),
        ("M, 64 y/o, and aged 52", ["64", "52"]),
        ("thirty-two years old", ["thirty-two"]),
        ("I am 25.", ["25"]),
        ("I'm 30% done and I am 20 minutes late", []),
        ("45 years ago, 12 old chairs", []),
    ],
)
def test_ages(text, expected):
    assert [text[span.start : span.end] for span in ages(text)] == expected


def test_the_title_stands_right_before_the_person():
    text = "Dear Dr. Okafor and Prof Li"
    people = [Span(9, 15, "PERSON", 0.9, "x"), Span(25, 27, "PERSON", 0.9, "x")]
    assert [text[span.start : span.end] for span in titles(text, people)] == ["Dr.", "Prof"]


def test_what_overlaps_the_preferred_is_left_out():
    first, inside, apart = (Span(*place, "X", 0.5, "x") for place in ((5, 9), (6, 7), (9, 11)))
    assert without_overlaps([first], [inside, apart]) == [first, apart]


@pytest.mark.parametrize("unit", ["1,", "12 ", "may 1 to ", "1/1/1 ", "I am ", "1 and 2 and ", " ", "\n"])
def test_no_text_takes_more_than_linear_time(unit):
    def seconds(length: int) -> float:
        text = (unit * length)[:length]
        began = time.process_time()
        dates(text, lines_of(text))
        ages(text)
        return time.process_time() - began

    small = min(seconds(20_000) for _ in range(3))
    assert min(seconds(80_000) for _ in range(3)) < 10 * small + 0.05
