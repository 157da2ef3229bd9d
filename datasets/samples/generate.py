"""Writes the sample data sets beside this file: seeded, standard library only, the same bytes on every machine.

Run ``python -m datasets.samples.generate`` after editing a template; tests compare the files with what this makes.
Templates hold ``{placeholders}`` filled with the facts of invented people, and ``[one|of|these]`` wordings; where a
question and its answer change together, a template lists ``variants``.
"""

import csv
import io
import json
import random
import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from datasets.samples.people import digits, person, pick

HERE = Path(__file__).parent
SEED = "llm-data-vault/samples/1"
EVALUATION_COLUMNS = ("id", "category", "language", "question", "context", "expected", "difficulty", "created_ms")
PRODUCTS = (
    "Alder desk lamp", "Brix 500 GB drive", "Tamsin rain jacket", "Ostra espresso grinder", "Pallas trail shoes",
    "Quill e-reader", "Fjell camping stove", "Nimbus duvet", "Corda noise-cancelling headset", "Vela standing desk",
)  # fmt: skip
GADGETS = ("Quill e-reader", "Corda headset", "Alder lamp", "Ostra grinder", "Nestling hub")
COMPLAINTS = (
    "persistent cough for three weeks", "knee pain after a fall", "migraine twice a week", "tired since the summer",
)  # fmt: skip
_ALTERNATIVES = re.compile(r"\[([^\[\]|]*(?:\|[^\[\]|]*)+)\]")

Facts = dict[str, str]
Template = dict[str, Any]


def facts(rng: random.Random, country: str) -> Facts:
    """Return the placeholders of one record: a person, a second person (``other_*``) and numbers that are no secret."""
    main, other = person(rng, country), person(rng, country)
    day, count, percent = rng.randrange(1, 29), rng.randrange(2, 40), rng.randrange(5, 60)
    cents = rng.randrange(900, 48000)
    return (
        main
        | {f"other_{key}": value for key, value in other.items()}
        | {
            "order": f"LK-{rng.randrange(100000, 999999)}",
            "order_digits": f"{rng.randrange(10**9, 10**10)}",
            "ticket": f"{rng.randrange(10000, 99999)}",
            "tracking": f"1ZX{digits(rng, 15)}",
            "epoch_ms": str(1_760_000_000_000 + rng.randrange(10**10)),
            "amount": f"{cents / 100:.2f}",
            "share": f"{(cents * percent + 50) // 100 / 100:.2f}",
            "small": f"{rng.randrange(2, 30)}.{rng.randrange(100):02d}",
            "count": str(count),
            "percent": str(percent),
            "sum": str(count + percent),
            "six_days": str(6 * count),
            "kilometres": f"{count * 1609 / 1000:.3f}",
            "complaint": pick(rng, COMPLAINTS),
            "date": f"2026-{rng.randrange(1, 10):02d}-{day:02d}",
            "hour": f"{rng.randrange(8, 19)}:{rng.randrange(6)}0",
            "product": pick(rng, PRODUCTS),
            "other_product": pick(rng, PRODUCTS),
            "gadget": pick(rng, GADGETS),
            "build": f"{rng.randrange(2, 9)}.{rng.randrange(20)}.{rng.randrange(9)}",
            "commit": f"{rng.getrandbits(28):07x}",
        }
    )


def fill(value: Any, known: Facts, rng: random.Random) -> Any:
    """Return ``value`` (text, or lists and tables of text) with wordings chosen and placeholders filled."""
    if isinstance(value, dict):
        return {key: fill(member, known, rng) for key, member in value.items()}
    if isinstance(value, list):
        return [fill(member, known, rng) for member in value]
    if isinstance(value, str):
        worded = _ALTERNATIVES.sub(lambda match: pick(rng, match[1].split("|")), value.strip())
        return worded.format_map(known)
    return value


def messages(turns: list[list[Any]], rng: random.Random) -> Iterator[dict[str, Any]]:
    """Yield OpenAI-style chat messages; a ``call`` turn becomes a tool call whose arguments are a JSON string."""
    call_id = ""
    for role, *content in turns:
        if role == "call":
            call_id = f"call_{rng.getrandbits(64):016x}"
            function = {"name": content[0], "arguments": json.dumps(content[1], ensure_ascii=False)}
            call = {"id": call_id, "type": "function", "function": function}
            yield {"role": "assistant", "content": None, "tool_calls": [call]}
        elif role == "result":
            yield {"role": "tool", "tool_call_id": call_id, "content": json.dumps(content[0], ensure_ascii=False)}
        else:
            yield {"role": role, "content": content[0]}


def support_chat(template: Template, known: Facts, rng: random.Random) -> dict[str, Any]:
    """Return one support conversation."""
    turns = [["system", template["system"]], *template["turns"]] if "system" in template else template["turns"]
    return {
        "topic": template["name"],
        "language": template.get("language", "en"),
        "channel": template.get("channel") or pick(rng, ("chat", "chat", "email", "app")),
        "opened_ms": 1_760_000_000_000 + rng.randrange(10**10),
        "messages": list(messages(fill(turns, known, rng), rng)),
    }


def instruction_pair(template: Template, known: Facts, rng: random.Random) -> dict[str, Any]:
    """Return one instruction, input, output triple."""
    made = {key: fill(template.get(key, ""), known, rng) for key in ("instruction", "input", "output")}
    return {"task": template["name"], "language": template.get("language", "en")} | made


def preference_pair(template: Template, known: Facts, rng: random.Random) -> dict[str, Any]:
    """Return one prompt with the answer a reviewer chose and the one rejected."""
    made = {key: fill(template[key], known, rng) for key in ("prompt", "chosen", "rejected")}
    return {"criterion": template["name"]} | made | {"reviewer": f"reviewer-{rng.randrange(1, 9)}"}


def evaluation_row(template: Template, known: Facts, rng: random.Random) -> dict[str, Any]:
    """Return one question of the evaluation set."""
    made = {key: fill(template.get(key, ""), known, rng) for key in ("question", "context", "expected")}
    return {"category": template["name"], "language": template.get("language", "en")} | made | {
        "difficulty": pick(rng, ("easy", "medium", "hard")),
        "created_ms": known["epoch_ms"],
    }  # fmt: skip


def records(
    prefix: str, count: int, build: Callable[[Template, Facts, random.Random], dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    """Yield ``count`` records ``prefix-0001`` and on, every template used about equally often.

    A template marked ``story`` is used once, as the first record: the one the demo shows to each role.
    """
    rng = random.Random(f"{SEED}/{prefix}")  # noqa: S311 - sample data must repeat, not be unpredictable
    templates = tomllib.loads((HERE / "templates" / f"{prefix}.toml").read_text("utf-8"))["template"]
    stories = [template for template in templates if template.get("story")]
    ordinary = [template for template in templates if not template.get("story")]
    hand: list[Template] = stories[::-1]
    for number in range(1, count + 1):
        template = hand.pop() if hand else None
        if template is None:
            hand = sorted(ordinary, key=lambda _: rng.random())
            template = hand.pop()
        if "variants" in template:
            template = template | template["variants"][rng.randrange(len(template["variants"]))]
        known = facts(rng, pick(rng, template.get("countries", ["US"])))
        yield {"id": f"{prefix}-{number:04d}"} | build(template, known, rng)


def as_jsonl(rows: Iterator[dict[str, Any]]) -> str:
    """Return one compact JSON object a line."""
    return "".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in rows)


def as_csv(rows: Iterator[dict[str, Any]]) -> str:
    """Return RFC 4180 text with LF line ends and a header."""
    text = io.StringIO()
    writer = csv.DictWriter(text, EVALUATION_COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def sample_files() -> dict[str, bytes]:
    """Return every generated file, UTF-8, by name."""
    made = {
        "support_chats.jsonl": as_jsonl(records("chat", 400, support_chat)),
        "instruction_pairs.jsonl": as_jsonl(records("instruction", 400, instruction_pair)),
        "preference_pairs.jsonl": as_jsonl(records("preference", 150, preference_pair)),
        "evaluation_set.csv": as_csv(records("evaluation", 200, evaluation_row)),
    }
    return {name: text.encode("utf-8") for name, text in made.items()}


def write_samples(folder: Path = HERE) -> None:
    """Write every sample file into ``folder``."""
    for name, content in sample_files().items():
        (folder / name).write_bytes(content)


if __name__ == "__main__":
    write_samples()
