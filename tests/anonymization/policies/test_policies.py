"""Rules of anonymization policies: what a document may say, what it does, and that it binds."""

import json

import jsonschema
import pytest

from access.errors import AccessDenied
from access.services.authorize import Obligation
from anonymization.detectors.recognizers.entities import entity_types
from anonymization.errors import ObligationUnmet
from anonymization.findings import Finding
from anonymization.operators.base import Keys
from anonymization.policies.compiled import CompiledPolicy
from anonymization.policies.document import read_document
from anonymization.policies.errors import InvalidPolicy
from anonymization.policies.presets import PRESETS, SAFE_HARBOR
from anonymization.policies.schema import policy_schema
from anonymization.services import policies
from anonymization.services.anonymizer import build_anonymizer
from anonymization.services.policies import NewPolicy
from datasets.services.read import open_release, read_record
from datasets.services.schemas import NewSchema, add_schema
from tests.factories.access import acting
from tests.factories.datasets import jsonl, make_dataset, someone, upload
from vaultsite.kernel.crypto.keys import SecretKey

KEY = SecretKey(bytes(range(32)))
RECORD = {
    "id": "r1",
    "email": "ada@example.com",
    "note": "Call ada@example.com or 415-555-0132 on 2021-03-15.",
    "age": 37,
    "plan": "gold",
    "messages": [{"role": "user", "content": "I am ada@example.com"}],
}


def document(*rules, default="keep", **members):
    return {"format": 1, "default": {"strategy": default}, "rules": list(rules), **members}


def compiled(content):
    keys = Keys(KEY, KEY, bytes(16), "en_US", 2026, list)
    return CompiledPolicy.of("test@1", read_document(content), lambda _scope, _locale: keys)


def found(pointer, kind, score=1.0):
    return Finding(pointer, "value", 0, 3, kind, score, "test")


def name_of(strategy):
    return strategy.name if strategy else None


def test_the_schema_of_policies_is_a_schema_and_the_presets_fit_it():
    jsonschema.Draft202012Validator.check_schema(policy_schema())
    for preset in PRESETS.values():
        read_document(preset.document)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ([], "/"),
        ({"format": 1}, "/"),
        (document(default="shred"), "/default/strategy"),
        (
            document({"entities": ["A"], "strategy": "mask", "parameters": {"keep_last": 9}}),
            "/rules/0/parameters/keep_last",
        ),
        (document({"strategy": "mask"}), "/rules/0"),
        (document({"fields": ["data/x"], "strategy": "mask"}), "/rules/0/fields/0"),
        (document({"entities": ["A"], "strategy": "mask", "colour": "red"}), "/rules/0"),
        (document({"entities": ["A"], "strategy": "mask", "whole_field": True}), "/rules/0"),
        (document(min_score=0.1), "/min_score"),
        (document(exceptions=[{"entities": ["A"]}]), "/exceptions/0"),
        (document({"entities": ["A"], "strategy": "keep", "parameters": {"x": 1}}), "/rules/0/parameters"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_at_its_place(wrong, field):
    with pytest.raises(InvalidPolicy) as refusal:
        read_document(wrong)
    assert field in {one.field for one in refusal.value.errors}


def test_exceptions_go_first_then_the_first_rule_then_the_default():
    policy = compiled(
        document(
            {"entities": ["EMAIL_ADDRESS"], "fields": ["/data/to"], "strategy": "hash"},
            {"entities": ["EMAIL_ADDRESS"], "strategy": "mask", "min_score": 0.8},
            default="redact",
            exceptions=[{"fields": ["/data/public/**/mail"], "reason": "an address of the firm"}],
        )
    )
    assert name_of(policy.strategy_for(found("/data/to", "EMAIL_ADDRESS"))) == "hash"
    assert name_of(policy.strategy_for(found("/data/to/0", "EMAIL_ADDRESS"))) == "hash"
    assert name_of(policy.strategy_for(found("/data/tomorrow", "EMAIL_ADDRESS"))) == "mask"
    assert name_of(policy.strategy_for(found("/data/x", "EMAIL_ADDRESS", 0.5))) == "redact"
    assert name_of(policy.strategy_for(found("/data/x", "PERSON", 0.3))) is None
    assert name_of(policy.strategy_for(found("/data/public/a/b/mail", "EMAIL_ADDRESS"))) is None
    assert name_of(policy.strategy_for(found("/data/public/a/b/mail", "UNSCANNABLE"))) == "redact"


def test_safe_harbor_covers_the_eighteen_identifiers_with_nothing_derived_from_the_person():
    assert len(SAFE_HARBOR) == 18
    policy = compiled(PRESETS["hipaa-safe-harbor"].document)
    for kinds in SAFE_HARBOR.values():
        for kind in kinds:
            assert name_of(policy.strategy_for(found("/data/x", kind))) in {"replace", "truncate", "generalize"}
    assert name_of(policy.strategy_for(found("/data/x", "NEVER_HEARD_OF"))) == "replace"


def test_card_numbers_alone_are_the_matter_of_pci():
    policy = compiled(PRESETS["pci-pan"].document)
    assert name_of(policy.strategy_for(found("/data/x", "CREDIT_CARD"))) == "mask"
    assert policy.strategy_for(found("/data/x", "PERSON")) is None


def made(tenant, content, *, active=True, name="ours", **attachment):
    officer = someone(tenant, "privacy_officer")
    with acting(tenant, officer):
        policy = policies.create_policy(officer, NewPolicy(name=name, document=content))
        if active:
            policies.activate_version(officer, policy_id=policy.pk, number=1)
        if attachment:
            policies.attach_policy(officer, policy_id=policy.pk, **attachment)
    return policy


def read(tenant, dataset, role, purpose="evaluation"):
    reader = someone(tenant, role)
    with acting(tenant, reader):
        release = open_release(reader, dataset_id=dataset.pk, version="main", purpose=purpose)
    return release, read_record(release, "r1").data


def test_a_policy_of_a_dataset_binds_and_the_role_stays_the_floor(tenant):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl([RECORD]))
    rules = (
        {"entities": ["EMAIL_ADDRESS"], "strategy": "hash"},
        {"entities": ["PHONE_NUMBER"], "strategy": "shift_dates"},
        {"fields": ["/data/age"], "whole_field": True, "strategy": "generalize"},
    )
    made(tenant, document(*rules), kind="dataset", target=str(dataset.pk))
    release, shown = read(tenant, dataset, "data_scientist")
    assert [str(one) for one in release.decision.obligations] == ["anonymize:mask", "anonymize:ours@1"]
    assert any(one.startswith("anonymization:ours@1#sha256=") for one in release.decision.policy_ids)
    assert release.decision.obligations[1].fields == ("/data/age",)
    assert shown["email"].startswith("<EMAIL_ADDRESS:")
    assert shown["age"] == "30-39"
    assert "415-" not in shown["note"]
    assert shown["plan"] == "gold"
    _, strict = read(tenant, dataset, "analyst")
    assert strict["email"] == "[REDACTED]"
    raw, untouched = read(tenant, dataset, "data_steward")
    assert raw.is_raw
    assert untouched == RECORD


def test_a_policy_of_a_purpose_binds_raw_readers_too(tenant):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl([RECORD]))
    made(tenant, document(default="redact"), kind="purpose", target="model-training")
    release, shown = read(tenant, dataset, "data_steward", "model-training")
    assert not release.is_raw
    assert shown["email"] == "[REDACTED]"
    assert read(tenant, dataset, "data_steward")[1] == RECORD


def test_of_two_policies_the_stricter_counts_and_two_of_one_rank_show_nothing(tenant):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl([RECORD]))
    where = {"kind": "dataset", "target": str(dataset.pk), "binds_raw_readers": True}
    by_ten = {"fields": ["/data/age"], "whole_field": True, "strategy": "generalize"}
    first = ({"entities": ["EMAIL_ADDRESS"], "strategy": "mask"}, by_ten)
    second = ({"entities": ["EMAIL_ADDRESS"], "strategy": "replace"}, by_ten | {"parameters": {"width": 7}})
    made(tenant, document(*first), name="first", **where)
    made(tenant, document(*second), name="second", **where)
    _, shown = read(tenant, dataset, "data_steward")
    assert shown["email"] == "<EMAIL_ADDRESS>"
    assert shown["age"] == "[REDACTED]"


def test_a_policy_without_an_active_version_denies(tenant):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl([RECORD]))
    made(tenant, document(), active=False, kind="role", target="data_scientist")
    with pytest.raises(AccessDenied):
        read(tenant, dataset, "data_scientist")
    assert read(tenant, dataset, "analyst")[1]["email"] == "[REDACTED]"


@pytest.mark.parametrize(
    "obligation",
    [
        Obligation("anonymize", "", "unknown@1"),
        Obligation("anonymize", "", "preset:unknown@1"),
        Obligation("anonymize", "", "preset:pci-pan@2"),
        Obligation("anonymize", "", "no reference"),
        Obligation("anonymize", "shred"),
        Obligation("anonymize", "mask", "preset:pci-pan@1"),
        Obligation("encrypt", "mask"),
    ],
)
def test_what_cannot_be_met_releases_nothing(tenant, obligation):
    with acting(tenant), pytest.raises(ObligationUnmet):
        build_anonymizer([Obligation("anonymize", "mask"), obligation], dataset_id=None, purpose="evaluation")


def test_chats_stay_chats_under_every_preset(tenant):
    chat = {
        "messages": [
            {"role": "user", "content": "I am ada@example.com, card 4111 1111 1111 1111"},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {
                        "id": "call_415-555-0132",
                        "type": "function",
                        "function": {"name": "get_paris_weather", "arguments": json.dumps({"mail": "ada@example.com"})},
                    }
                ],
            },
            {"role": "tool", "tool_call_id": "call_415-555-0132", "content": "sunny"},
        ]
    }
    findings = [
        Finding("/data/messages/0/role", "value", 0, 4, "PERSON", 1.0, "t"),
        Finding("/data/messages/0/content", "value", 5, 20, "EMAIL_ADDRESS", 1.0, "t"),
        Finding("/data/messages/0/content", "key", 0, 7, "PERSON", 1.0, "t"),
        Finding("/data/messages/1/tool_calls/0/function/name", "value", 4, 9, "LOCATION", 1.0, "t"),
        Finding("/data/messages/1/tool_calls/0/id", "value", 5, 17, "PHONE_NUMBER", 1.0, "t"),
        Finding("/data/messages/1/tool_calls/0/function/arguments", "value", 10, 25, "EMAIL_ADDRESS", 1.0, "t"),
        Finding("/data/messages/2/tool_call_id", "value", 5, 17, "PHONE_NUMBER", 1.0, "t"),
    ]
    for name in PRESETS:
        with acting(tenant):
            obligation = Obligation("anonymize", "", f"preset:{name}@1")
            anonymizer = build_anonymizer([obligation], dataset_id=None, purpose=None)
        shown = anonymizer.show({"data": chat, "metadata": {}}, findings, record_id="r")["data"]
        turns = shown["messages"]
        assert [turn["role"] for turn in turns] == ["user", "assistant", "tool"]
        assert [set(turn) for turn in turns] == [set(turn) for turn in chat["messages"]]
        [call] = turns[1]["tool_calls"]
        assert call["function"]["name"] == "get_paris_weather"
        assert set(json.loads(call["function"]["arguments"])) == {"mail"}
        assert call["id"] == turns[2]["tool_call_id"]
        if name != "pci-pan":
            assert "ada@example.com" not in json.dumps(shown)
            assert "415-555-0132" not in json.dumps(shown)


def test_a_field_the_schema_declares_is_shown_by_its_strategy(tenant):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl([RECORD]))
    steward = someone(tenant, "data_steward")
    schema = {"type": "object", "properties": {"plan": {"x-pii-type": "ID_NUMBER", "x-pii-strategy": "replace"}}}
    with acting(tenant, steward):
        add_schema(steward, dataset_id=dataset.pk, new=NewSchema(document=schema))
    _, shown = read(tenant, dataset, "data_scientist")
    assert shown["plan"] == "<ID_NUMBER>"
    assert shown["email"] == "***@*******.com"
    assert read(tenant, dataset, "data_steward")[1] == RECORD


def test_safe_harbor_names_every_kind_that_identifies():
    """Kinds left to the default are replaced too; what is named here tells a reader under which letter."""
    named = {kind for kinds in SAFE_HARBOR.values() for kind in kinds}
    describe = {"RELIGION", "HEALTH", "ETHNICITY", "POLITICS", "UNION_MEMBERSHIP", "SEXUALITY", "CONVICTION", "NRP"}
    refused = {"CARD_VERIFICATION", "CARD_PIN", "PIN_BLOCK", "TRACK_DATA"}
    assert set(entity_types()) - named - describe - refused == {"ORGANIZATION"}
