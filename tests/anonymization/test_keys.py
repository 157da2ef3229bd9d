"""Rules of member names: those that are people's names and ids are found, those that are words are left alone."""

import json

import pytest

from anonymization.detectors.walk import scan_records
from anonymization.findings import ACT_FROM
from anonymization.services.detect import active_detector

#: As members of code, configurations and records of language models are called.
ORDINARY = """
    id uuid name title description type kind status state version created_at updated_at deleted_at createdAt updatedAt
    timestamp date time duration url uri path file filename directory size length count total offset limit page cursor
    next previous first last sort order filter query search results items data metadata meta info details attributes
    properties fields columns rows index key keys value values label labels tag tags category categories group groups
    role roles permission permissions scope scopes policy rules settings config configuration options params parameters
    args kwargs env environment host hostname port protocol scheme endpoint method headers body payload request response
    status_code error errors code message messages reason warning warnings exception stack trace level logger log logs
    debug verbose enabled disabled active default required optional nullable readonly min max mean median average std
    sum ratio rate score scores weight weights rank threshold confidence probability logprobs tokens max_tokens
    prompt_tokens completion_tokens total_tokens temperature top_p top_k stop stream seed model model_name provider
    prompt completion system user assistant tool tools tool_calls function functions function_call arguments content
    contents role_name choices finish_reason usage conversation conversations dialogue turn turns instruction input
    inputs output outputs response_format context question answer answers reference references chosen rejected
    preference text texts language lang locale country region timezone currency source sources target targets origin
    train test
    validation split dataset datasets sample samples batch batch_size epochs learning_rate optimizer loss accuracy
    precision recall metrics embedding embeddings vector dimension checkpoint license author authors homepage repository
    branch commit dependencies devDependencies scripts main module exports imports class classes interface package
    packages build image container services volumes network ports replicas resources limits requests memory cpu gpu
    apiVersion spec template selector matchLabels annotations namespace ingress secret timeout retries interval
    schedule cron trigger jobs steps runs-on uses with strategy matrix include exclude cache artifacts
    $schema $ref additionalProperties oneOf anyOf allOf enum const format pattern minimum maximum minLength maxLength
""".split()  # noqa: SIM905 - a table of words reads better than a list


def keys_found(data):
    [findings] = scan_records([{"data": data}], active_detector())
    return {
        (one.pointer.rpartition("/")[2], one.entity_type)
        for one in findings
        if one.part == "key" and one.score >= ACT_FROM
    }


def test_there_are_two_hundred_ordinary_keys_and_none_is_personal_anywhere():
    assert len(set(ORDINARY)) >= 200
    members = dict.fromkeys(ORDINARY, 1)
    assert keys_found(members) == set()
    assert keys_found({"config": members, "messages": [members], "users": [members], "properties": members}) == set()
    assert keys_found({"users": members}) == set(), "what is said of all users"
    assert keys_found({"text": json.dumps({"config": members, "users": [members]})}) == set()


@pytest.mark.parametrize("name", ["users", "by_user", "scorePerCustomer", "contacts"])
def test_words_for_all_of_them_are_no_people(name):
    said = """total count active inactive items page next limit list data by_role byRegion created_at max_count default
        default_role 2024 2025 202411 12 0 enabled online first_page error_rate""".split()  # noqa: SIM905
    assert keys_found({name: dict.fromkeys(said, 1)}) == set()


@pytest.mark.parametrize(
    "data",
    [
        {"users": {"ada.lovelace": {"age": 36}}},
        {"users": {"jsmith": {}}},
        {"users": {"u_48213": {"plan": "gold"}}},
        {"users": {"48213377": 1}},
        {"score_by_user": {"jsmith": 3}},
        {"byUserId": {"x-2041b": 3}},
        {"customers": {"C-20417": {"total": 3}}},
        {"outer": {"participants": {"ada_lovelace": []}}},
        {"arguments": '{"users": {"jsmith": {"a": 1}}}'},
        {"arguments": '[{"users": {"total": [1, {"b": 2}], "jsmith": {"a": 1}}}]'},
    ],
)
def test_user_names_and_ids_are_found_in_a_map_of_people(data):
    [findings] = scan_records([{"data": data}], active_detector())
    users = [one for one in findings if one.entity_type == "USERNAME" and one.score >= ACT_FROM]
    assert len(users) == 1, findings
    if "arguments" in data:
        assert data["arguments"][users[0].start : users[0].end] == "jsmith"
    else:
        assert users[0].part == "key"
        assert users[0].start == 0
        assert users[0].end == len(users[0].pointer.rpartition("/")[2])


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        ({"alice@example.com": 1}, "EMAIL_ADDRESS"),
        ({"users": {"alice@example.com": 1}}, "EMAIL_ADDRESS"),
        ({"John Smith": {"a": 1}}, "PERSON"),
        ({"users": {"John Smith": {}}}, "PERSON"),
        ({"ada.lovelace": 1}, "PERSON"),
        ({"users": {"ada.lovelace": 1}}, "PERSON"),
    ],
)
def test_names_and_addresses_are_found_as_keys_anywhere(data, kind):
    assert kind in {found for _, found in keys_found(data)}


def test_objects_in_a_list_are_described_by_their_members():
    assert keys_found({"users": [{"nick": "x", "shoe": 43, "jsmith": 1}]}) == set()
