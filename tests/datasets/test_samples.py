"""The sample files are what the generator makes, parse strictly, and hold nobody's real identifiers."""

import csv
import io
import ipaddress
import json
import re
from pathlib import Path

import pytest

from datasets.samples import generate

FOLDER = Path(generate.__file__).parent
COUNTS = {
    "support_chats.jsonl": 400,
    "instruction_pairs.jsonl": 400,
    "preference_pairs.jsonl": 150,
    "evaluation_set.csv": 200,
}
RESERVED_DOMAIN = re.compile(r"(?:[a-z]+\.)?example\.(?:com|org|net)")
DOCUMENTATION_NETWORKS = [
    ipaddress.ip_network(network) for network in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")
]


def rows_of(name: str) -> list[dict[str, object]]:
    text = (FOLDER / name).read_text("utf-8")
    if name.endswith(".csv"):
        return list(csv.DictReader(io.StringIO(text), strict=True))
    return [json.loads(line) for line in text.splitlines()]


def whole_text() -> str:
    return "\n".join((FOLDER / name).read_text("utf-8") for name in COUNTS)


def passes_luhn(digits: str) -> bool:
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def passes_mod_97(iban: str) -> bool:
    return int("".join(str(int(char, 36)) for char in iban[4:] + iban[:4])) % 97 == 1


def test_the_files_are_what_the_generator_makes():
    assert {name: (FOLDER / name).read_bytes() for name in COUNTS} == generate.sample_files()


@pytest.mark.parametrize(("name", "count"), COUNTS.items())
def test_every_file_parses_and_its_ids_are_valid_and_unique(name, count):
    ids = [row["id"] for row in rows_of(name)]
    assert len(ids) == len(set(ids)) == count
    assert [one for one in ids if not re.fullmatch(r"[A-Za-z0-9._~:@-]{1,128}", str(one))] == []


@pytest.mark.parametrize("name", COUNTS)
def test_no_file_is_large_or_carries_an_unfilled_placeholder(name):
    assert (FOLDER / name).stat().st_size < 500_000
    strings = re.findall(r"\{[a-z_]+\}|\[[^\[\]\"{}]*\|[^\[\]\"{}]*\]", (FOLDER / name).read_text("utf-8"))
    assert strings == []


def test_evaluation_rows_have_the_declared_columns():
    assert tuple(rows_of("evaluation_set.csv")[0]) == generate.EVALUATION_COLUMNS


def test_tool_calls_carry_their_arguments_as_json_text_and_are_answered():
    called, answered = [], []
    for row in rows_of("support_chats.jsonl"):
        for message in row["messages"]:
            for call in message.get("tool_calls", ()):
                assert isinstance(json.loads(call["function"]["arguments"]), dict)
                called.append((row["id"], call["id"]))
            if message["role"] == "tool":
                answered.append((row["id"], message["tool_call_id"]))
    assert len(called) >= 100
    assert called == answered


def test_many_scenarios_appear():
    topics = {row["topic"] for row in rows_of("support_chats.jsonl")}
    tasks = {row["task"] for row in rows_of("instruction_pairs.jsonl")}
    assert len(topics) >= 40
    assert len(tasks) >= 25


def test_the_demo_story_is_the_first_chat_and_rich_in_personal_data():
    story = rows_of("support_chats.jsonl")[0]
    text = json.dumps(story)
    assert story["id"] == "chat-0001"
    for value in ("maya.whitfield@example.com", "(312) 555-0147", "4111 1111 1111 1111", "932-41-7706", "password: "):
        assert value in text


def test_every_mail_address_is_at_a_reserved_domain():
    domains = set(re.findall(r"[\w.'+-]+@([\w.-]*\w)", whole_text()))
    assert domains
    assert [domain for domain in domains if not RESERVED_DOMAIN.fullmatch(domain)] == []


def test_every_network_address_is_for_documentation():
    found = {ipaddress.ip_address(text) for text in re.findall(r"\b\d{1,3}(?:\.\d{1,3}){3}\b", whole_text())}
    assert found
    assert [one for one in found if not any(one in network for network in DOCUMENTATION_NETWORKS)] == []


def test_every_social_security_number_was_never_issued():
    areas = {match[:3] for match in re.findall(r"\b\d{3}-\d{2}-\d{4}\b", whole_text())}
    assert areas
    assert [area for area in areas if not area.startswith("9")] == []


def test_cards_pass_luhn_and_ibans_their_check_digits():
    cards = re.findall(r"(?<=[Cc]ard )(?:\d{15,16}|(?:\d{4} ){3}\d{3,4})\b", whole_text())
    ibans = re.findall(r"\b(?:DE|FR|ES|GB|NL)\d{2}(?: ?[0-9A-Z]{4}){3,5}(?: ?[0-9A-Z]{1,3})?\b", whole_text())
    assert len(cards) >= 20
    assert [card for card in cards if not passes_luhn(card.replace(" ", ""))] == []
    assert len(ibans) >= 50
    assert [iban for iban in ibans if not passes_mod_97(iban.replace(" ", ""))] == []
