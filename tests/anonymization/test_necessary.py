import re
from functools import cache

import pytest
import re2
import regex
from faker import Faker
from hypothesis import given, settings
from hypothesis import strategies as st

from anonymization.detectors import kept
from anonymization.detectors.kept import conditions_of
from anonymization.detectors.necessary import (
    OTHER,
    Conditions,
    Expression,
    Unweakened,
    necessary_conditions,
    one_byte_a_code_point,
)
from anonymization.detectors.prefilter import Prefilter

FLAGS = int(regex.DOTALL | regex.MULTILINE | regex.IGNORECASE)


def holds(condition, text):
    return condition is not None and re.search(condition, one_byte_a_code_point(text), re.DOTALL) is not None


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"\bssn\b", "\u017f\u017fn"),
        (r"token", "TO\N{KELVIN SIGN}EN"),
        (r"pin", "p\u0131n and P\u0130N"),
        (r"[^\W_]{4}", "\u00e9\u00e8\u4e2d\u0664"),
        (r"\d{3}", "\u0661\u0662\u0663"),
        (r"(?<=a)b(?=c)", "abc"),
        (r"(?<!a)b(?!c)", "b"),
        (r"key: \K\w+", "key: x"),
        (r"(\d)-\1-\1", "7-7-7"),
        (r"(?P<a>x)?(?(a)y|z)", "xy or z"),
        (r"a*+b(?>c|d)", "aabc"),
        (r"(?-i:A)b", "AB"),
        (r"[\u00a0 ]x", "\u00a0x"),
        (r"x{3,200}y{50,}", "x" * 3 + "y" * 50),
        (r"^a$", "b\na\nc"),
        (r"a\Bb\b", "ab"),
    ],
)
def test_what_matches_meets_its_condition(pattern, text):
    assert regex.search(pattern, text, FLAGS)
    narrow, wide = necessary_conditions(pattern, FLAGS)
    assert holds(wide, text)
    if text.isascii():
        assert holds(narrow, text)


@pytest.mark.parametrize("pattern", [r"\p{Lu}x", r"[[:alpha:]]x", r"a*", r"(?=a)", r"(?:ab){e<=1}", r"(", r"[a--b]x"])
def test_patterns_without_a_condition_run_everywhere(pattern):
    with pytest.raises(Unweakened):
        necessary_conditions(pattern, FLAGS)
    prefilter = Prefilter([Expression("needle", FLAGS), Expression(pattern, FLAGS)])
    assert list(prefilter.candidates("hay")) == [1]
    assert list(prefilter.candidates("h\u00e4y")) == [1]
    assert list(prefilter.candidates("a needle")) == [0, 1]


def test_what_can_match_no_ascii_text_is_left_out_there():
    narrow, wide = necessary_conditions("\u00e9x", int(regex.DOTALL))
    assert narrow is None
    assert holds(wide, "\u00e9x")
    prefilter = Prefilter([Expression("\u00e9x", FLAGS)])
    assert list(prefilter.candidates("ex")) == []
    assert list(prefilter.candidates("\u00e9x")) == [0]


def test_offsets_in_bytes_are_those_of_code_points():
    text = "a\u00e9\U0001f600b\udc80c"
    assert one_byte_a_code_point(text) == bytes([97, OTHER, OTHER, 98, OTHER, 99])


def test_a_pass_that_did_not_reach_the_end_lets_everything_run():
    class Failing:
        def Match(self, _text):  # noqa: N802 - RE2's name
            return []

    prefilter = Prefilter([Expression("a", FLAGS), Expression("b", FLAGS)])
    prefilter._ascii._set = Failing()
    assert list(prefilter.candidates("x")) == [0, 1]


_ALPHABET = "aAbBxkKsSiI01 _-.@:\u0130\u0131\u017f\u212a\u00e9\u0301\u0664\u200d\u00a0\u2028\x1c\n"
_ATOMS = st.one_of(
    st.sampled_from(
        [r"\d", r"\w", r"\s", r"\W", r"\S", r"\D", ".", r"\b", r"\B", "[a-k]", "[^a-k]", r"[^\W_]", r"[^\s@]"]
    ),
    st.sampled_from(sorted(set(_ALPHABET))).map(re.escape),
)
_PATTERNS = st.recursive(
    _ATOMS,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map("".join),
        st.tuples(inner, inner).map(lambda pair: f"(?:{pair[0]}|{pair[1]})"),
        st.tuples(inner, st.sampled_from(["?", "*", "+", "{2}", "{1,3}", "+?", "*+", "{0,30}"])).map(
            lambda pair: f"(?:{pair[0]}){pair[1]}"
        ),
        st.tuples(st.sampled_from(["(?=", "(?!", "(?<=", "(?<!", "(?>", "(?i:", "(?-i:"]), inner).map(
            lambda pair: f"{pair[0]}{pair[1]})"
        ),
    ),
    max_leaves=8,
)


@settings(max_examples=600, deadline=None)
@given(_PATTERNS, st.text(_ALPHABET, max_size=12), st.sampled_from([FLAGS, int(regex.DOTALL)]))
def test_no_match_escapes_its_condition(pattern, text, flags):
    try:
        narrow, wide = necessary_conditions(pattern, flags)
        compiled = regex.compile(pattern, flags)
    except (Unweakened, regex.error):
        return
    found = [match for match in compiled.finditer(text, timeout=5) if match.group()]
    if found:
        assert holds(wide, text), (pattern, found)
        assert re2.search(wide, one_byte_a_code_point(text), _latin()), pattern
        if text.isascii():
            assert holds(narrow, text), (pattern, found)


@cache
def _latin():
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.dot_nl = True
    return options


def test_realistic_text_meets_the_conditions_of_what_it_holds():
    fake = Faker(["en_US", "de_DE", "hi_IN", "ja_JP"])
    fake.seed_instance(3)
    patterns = [r"\b[\w.+-]+@[\w-]+\.[\w.]+\b", r"(?<!\d)\d{3}[- ]\d{4}(?!\d)", r"\b\d{1,3}(?:\.\d{1,3}){3}\b"]
    prefilter = Prefilter([Expression(pattern, FLAGS) for pattern in patterns])
    met = 0
    for _ in range(300):
        text = f"{fake.name()} {fake.email()} {fake.phone_number()} {fake.ipv4()} {fake.address()}"
        matching = {place for place, pattern in enumerate(patterns) if regex.search(pattern, text, FLAGS)}
        assert matching <= set(prefilter.candidates(text)), text
        met += len(matching)
    assert met > 500


def test_conditions_are_kept_for_the_next_process_and_damage_is_noticed(tmp_path):
    sources = (r"\bneedle\b", FLAGS), (r"\p{Lu}x", FLAGS), ("\u00e9", int(regex.DOTALL))
    expressions = [Expression(*source) for source in sources]
    folder = tmp_path / "detectors"
    made = conditions_of(expressions, folder)
    assert made == conditions_of(expressions) == conditions_of(expressions, folder)
    assert made[1] is None
    assert made[2].ascii_text is None
    [file] = folder.iterdir()
    assert (folder.stat().st_mode & 0o777, file.stat().st_mode & 0o777) == (0o700, 0o600)
    whole = file.read_bytes()
    file.write_bytes(whole.replace(b"needle", b"noodle"))
    assert conditions_of(expressions, folder) == made
    assert file.read_bytes() == whole
    conditions_of(expressions[:1], folder)
    assert len(list(folder.iterdir())) == 2


def test_what_was_kept_is_what_is_used(tmp_path):
    expressions = [Expression("needle", FLAGS)]
    kept._write(tmp_path / f"{kept._identity(expressions)}.conditions", [Conditions(b"straw", b"straw")])
    assert list(Prefilter(expressions, tmp_path).candidates("a straw")) == [0]
    assert list(Prefilter(expressions).candidates("a straw")) == []


def test_a_folder_that_cannot_be_written_is_as_good_as_none(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    assert conditions_of([Expression("needle", FLAGS)], tmp_path / "file")
