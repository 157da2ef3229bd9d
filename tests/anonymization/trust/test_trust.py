"""Which rule decides: every pair of them, in every order."""

from dataclasses import replace
from itertools import combinations, permutations
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anonymization.errors import FindingMismatch
from anonymization.findings import ACT_FROM, REFUSED_ENTITIES, STORE_FROM, UNSCANNABLE, Finding
from anonymization.trust.normal import value_digest
from anonymization.trust.patterns import value_pattern
from anonymization.trust.places import PlacePattern
from anonymization.trust.rules import AllowRule, DenyRule, FieldDecision, FieldRule, ThresholdRule, TrustRules
from anonymization.trust.trust import Trust, Verdict
from vaultsite.kernel.crypto.keys import SecretKey

KEY = SecretKey(bytes(range(32)))
TEXT = "write to info@acme.example now"
RECORD = {"data": {"text": TEXT, "customer": {"nr": 4711, "name": "Ada"}}, "metadata": {}}
MAIL = Finding("/data/text", "value", 9, 26, "EMAIL_ADDRESS", 0.85, "EmailRecognizer")
SCHEMA = Finding("/data/text", "value", 0, len(TEXT), "ADDRESS", 1.0, "schema")


def allow(value="info@acme.example", **facts):
    return AllowRule(uuid4(), digest=value_digest(KEY, "text", value), **facts)


def deny(value="info@acme.example", **facts):
    return DenyRule(uuid4(), value_pattern(value), is_value=True, **facts)


def field(decision, place="/data/text", **facts):
    return FieldRule(uuid4(), PlacePattern.of(place), decision, **facts)


def trust_of(**rules):
    return Trust(TrustRules(**{name: tuple(rows) for name, rows in rules.items()}), KEY)


#: Rule, how it is put in place, and what it does to the mail address; strongest first.
LAYERS = [
    ("schema", {}, True),
    ("field-type", {"fields": [field(FieldDecision.TYPE, entity_type="USERNAME")]}, True),
    ("field-always", {"fields": [field(FieldDecision.ALWAYS)]}, True),
    ("deny", {"deny": [deny()]}, True),
    ("field-never", {"fields": [field(FieldDecision.NEVER)]}, False),
    ("allow", {"allow": [allow()]}, False),
    ("threshold", {"thresholds": [ThresholdRule(uuid4(), "EMAIL_ADDRESS", 0.9)]}, False),
    ("default", {}, True),
]
#: One place has one field rule, so these never meet.
FIELD_RULES = {"field-type", "field-always", "field-never"}
PAIRS = [(one, other) for one, other in combinations(LAYERS, 2) if not {one[0], other[0]} <= FIELD_RULES]


@pytest.mark.parametrize(("stronger", "weaker"), PAIRS, ids=[f"{one[0]} over {other[0]}" for one, other in PAIRS])
def test_of_two_rules_the_stronger_decides_whether_the_text_is_hidden(stronger, weaker):
    rules = {}
    for _, own, _ in (stronger, weaker):
        for name, rows in own.items():
            rules[name] = [*rules.get(name, []), *rows]
    findings = [MAIL, SCHEMA] if stronger[0] == "schema" else [MAIL]

    kept = trust_of(**rules).effective(RECORD, findings)

    hidden = any(one.pointer == "/data/text" and one.start <= 9 and one.end >= 26 for one in kept)
    assert hidden is stronger[2]


def test_the_type_of_the_schema_is_not_changed_by_a_field_rule():
    kept = trust_of(fields=[field(FieldDecision.TYPE, entity_type="USERNAME")]).effective(RECORD, [MAIL, SCHEMA])
    assert SCHEMA in kept
    assert {one.entity_type for one in kept} == {"ADDRESS", "EMAIL_ADDRESS"}


@pytest.mark.parametrize("entity_type", sorted(REFUSED_ENTITIES | {UNSCANNABLE}))
def test_nothing_lifts_what_may_never_be_released(entity_type):
    locked = replace(MAIL, entity_type=entity_type, score=1.0)
    trust = trust_of(
        allow=[
            allow(),
            AllowRule(uuid4(), pattern=r".+@acme\.example"),
            AllowRule(uuid4(), place=PlacePattern("/data")),
        ],
        fields=[field(FieldDecision.NEVER)],
        thresholds=[ThresholdRule(uuid4(), entity_type, 1.0)],
    )
    assert trust.effective(RECORD, [locked]) == [locked]
    assert trust.effective(RECORD, [replace(locked, score=0.5)]) == [replace(locked, score=0.5)]


def test_an_allowed_value_takes_its_parts_with_it_and_nothing_beside_it():
    part = replace(MAIL, start=14, entity_type="URL")
    beside = replace(MAIL, start=9, end=30, entity_type="PERSON")
    assert trust_of(allow=[allow()]).effective(RECORD, [MAIL, part, beside]) == [beside]
    by_pattern = AllowRule(uuid4(), pattern=r".+@acme\.example")
    assert trust_of(allow=[by_pattern]).effective(RECORD, [MAIL, part]) == [part]


def test_an_entry_for_a_type_or_a_field_holds_there_alone():
    assert trust_of(allow=[allow(entity_type="PERSON")]).effective(RECORD, [MAIL]) == [MAIL]
    assert trust_of(allow=[allow(entity_type="EMAIL_ADDRESS")]).effective(RECORD, [MAIL]) == []
    assert trust_of(allow=[allow(place=PlacePattern("/data/other"))]).effective(RECORD, [MAIL]) == [MAIL]
    assert trust_of(allow=[allow(place=PlacePattern("/data/*"))]).effective(RECORD, [MAIL]) == []
    key = replace(MAIL, pointer="/data/customer", part="key", start=0, end=8)
    assert trust_of(allow=[AllowRule(uuid4(), place=PlacePattern("/data/*"))]).effective(RECORD, [key]) == [key]


def test_numbers_are_compared_by_their_digits():
    record = {"data": {"text": "DE89 3704 0044"}}
    found = Finding("/data/text", "value", 0, 14, "IBAN_CODE", 1.0, "x")
    rule = AllowRule(uuid4(), digest=value_digest(KEY, "number", "de8937040044"), normalizer="number")
    assert trust_of(allow=[rule]).effective(record, [found]) == []


def test_entries_stop_at_the_second_they_expire():
    trust = trust_of(
        allow=[allow(expires_at=1000.0)],
        deny=[deny("write", expires_at=1000.0)],
        fields=[field(FieldDecision.ALWAYS, "/data/customer/nr", expires_at=1000.0)],
    )
    assert {one.recognizer for one in trust.effective(RECORD, [MAIL], at=999.9)} == {"deny-list", "field-rule"}
    assert trust.effective(RECORD, [MAIL], at=1000.0) == [MAIL]


def test_of_field_rules_the_narrowest_decides_and_that_of_the_dataset_before():
    narrow, wide = field(FieldDecision.NEVER), field(FieldDecision.ALWAYS, "/data/*")
    for order in permutations([narrow, wide]):
        kept = trust_of(fields=order).effective(RECORD, [MAIL])
        assert {one.pointer for one in kept} == {"/data/customer/nr", "/data/customer/name"}
    own = replace(wide, is_own=True)
    assert "/data/text" in {one.pointer for one in trust_of(fields=[narrow, own]).effective(RECORD, [MAIL])}
    same = field(FieldDecision.ALWAYS)
    assert trust_of(fields=[narrow, same]).effective(RECORD, [MAIL])[-1].recognizer == "field-rule"


@pytest.mark.parametrize(
    "shape", ["INFO@ACME.EXAMPLE", "aW5mb0BhY21lLmV4YW1wbGUgaXMgb3Vycw==", '{"to": "info\\u0040acme.example"}']
)
def test_a_denied_value_is_found_however_it_is_written(shape):
    record = {"data": {"text": f"see {shape}" if "{" not in shape else shape}}
    assert [one.entity_type for one in trust_of(deny=[deny()]).effective(record, [])] == ["SENSITIVE"]


def test_a_denied_word_is_found_whole_and_in_names_of_members():
    trust = trust_of(deny=[deny("Falcon", entity_type="PROJECT")])
    record = {"data": {"falcon": "falconry, \u00e9falcon and Falcon.", "n": 1}}
    found = trust.effective(record, [])
    assert [(one.pointer, one.part, one.start) for one in found] == [
        ("/data/falcon", "key", 0),
        ("/data/falcon", "value", 22),
    ]


def test_what_rules_of_another_day_added_to_stored_findings_does_not_count():
    stale = replace(MAIL, recognizer="deny-list", pattern=str(uuid4()))
    assert trust_of(allow=[allow("x")]).effective(RECORD, [stale]) == []
    assert Trust().effective(RECORD, [stale]) == []


def test_a_finding_that_does_not_fit_the_record_stops_everything():
    for misfit in (replace(MAIL, end=400, score=0.2), replace(MAIL, pointer="/data/gone", score=0.2)):
        for trust in (Trust(), trust_of(allow=[allow()])):
            with pytest.raises(FindingMismatch):
                trust.effective(RECORD, [misfit])


def test_the_dataset_s_threshold_is_taken_before_that_of_the_tenant():
    tenant, own = (
        ThresholdRule(uuid4(), "EMAIL_ADDRESS", 0.9),
        ThresholdRule(uuid4(), "EMAIL_ADDRESS", 0.3, is_own=True),
    )
    weak = replace(MAIL, score=0.3)
    for order in permutations([tenant, own]):
        assert trust_of(thresholds=order).effective(RECORD, [weak]) == [weak]


def test_equal_rules_have_one_hash_and_others_another():
    rule = AllowRule(UUID(int=1), digest=b"x" * 32)
    hashes = {
        trust_of(allow=[rule]).content_hash,
        trust_of(allow=[replace(rule, expires_at=5.0)]).content_hash,
        trust_of(allow=[replace(rule, entity_type="PERSON")]).content_hash,
        Trust().content_hash,
    }
    assert len(hashes) == 4
    other = replace(rule, id=UUID(int=2))
    assert trust_of(allow=[rule, other]).content_hash == trust_of(allow=[other, rule]).content_hash


UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
scores = st.floats(STORE_FROM, 1.0)
found = st.builds(
    lambda start, length, kind, score: Finding("/data/text", "value", start, min(start + length, 30), kind, score, "x"),
    st.integers(0, 29),
    st.integers(1, 30),
    st.sampled_from(["EMAIL_ADDRESS", "PERSON", "URL", UNSCANNABLE, "CARD_PIN"]),
    scores,
)
POOL = [
    ("allow", allow()),
    ("allow", AllowRule(uuid4(), pattern="[a-z]+")),
    ("allow", AllowRule(uuid4(), place=PlacePattern("/data/**/text"))),
    ("deny", deny("acme")),
    ("fields", field(FieldDecision.NEVER)),
    ("fields", field(FieldDecision.ALWAYS, "/data/*")),
    ("fields", field(FieldDecision.TYPE, entity_type="USERNAME", place="/data/customer")),
    ("thresholds", ThresholdRule(uuid4(), "PERSON", 0.7)),
]


@UNHURRIED
@given(st.lists(found, max_size=6), st.permutations(POOL), st.integers(0, len(POOL)))
def test_the_order_of_rules_and_findings_does_not_matter(findings, pool, taken):
    rules = {}
    for name, rule in pool[:taken]:
        rules.setdefault(name, []).append(rule)
    backwards = {name: rows[::-1] for name, rows in rules.items()}
    there = trust_of(**rules).effective(RECORD, findings)
    back = trust_of(**backwards).effective(RECORD, findings[::-1])
    assert there == back


@UNHURRIED
@given(st.lists(found, max_size=6), st.sets(st.integers(0, len(POOL) - 1)))
def test_what_is_locked_counts_under_any_rules_and_without_rules_the_score_decides(findings, chosen):
    rules = {}
    for index in chosen:
        name, rule = POOL[index]
        rules.setdefault(name, []).append(rule)
    judged = trust_of(**rules).judged(RECORD, findings)
    for one in judged:
        if one.finding.entity_type in {UNSCANNABLE, "CARD_PIN"}:
            assert (one.verdict, one.counts) == (Verdict.LOCKED, one.finding.score >= ACT_FROM)
    plain = Trust().effective(RECORD, findings)
    assert plain == sorted(one for one in findings if one.score >= ACT_FROM)
