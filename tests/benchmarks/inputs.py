"""Records to measure with: made from a seed, or read from public files."""

import gzip
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import orjson

from tests.benchmarks.figures import Plan

_WORDS = (
    "the", "of", "and", "to", "in", "is", "that", "it", "was", "for", "on", "are", "as", "with", "they", "be",
    "at", "one", "have", "this", "from", "by", "hot", "but", "some", "what", "there", "we", "can", "out", "other",
    "were", "all", "your", "when", "up", "use", "word", "how", "said", "an", "each", "she", "which", "do",
    "their", "time", "if", "will", "way", "about", "many", "then", "them", "would", "write", "like", "so",
    "these", "her", "long", "make", "thing", "see", "him", "two", "has", "look", "more", "day", "could", "go",
    "come", "did", "my", "sound", "no", "most", "number", "who", "over", "know", "water", "than", "call", "first",
    "people", "may", "down", "side", "been", "now", "find", "any", "new", "work", "part", "take", "get", "place",
    "made", "live", "where", "after", "back", "little", "only", "round", "man", "year", "came", "show", "every",
    "good", "me", "give", "our", "under", "name", "very", "through", "just", "form", "much", "great", "think",
    "say", "help", "low", "line", "before", "turn", "cause", "same", "mean", "differ", "move", "right", "boy",
    "old", "too", "does", "tell", "sentence", "set", "three", "want", "air", "well", "also", "play", "small",
    "end", "put", "home", "read", "hand", "port", "large", "spell", "add", "even", "land", "here", "must", "big",
    "high", "such", "follow", "act", "why", "ask", "men", "change", "went", "light", "kind", "off", "need",
    "house", "picture", "try", "us", "again", "animal", "point", "mother", "world", "near", "build", "self",
    "earth", "father", "head", "stand", "own", "page", "should", "country", "found", "answer", "school", "grow",
    "study",
)  # fmt: skip
_FIRST = ("Ada", "Grace", "Alan", "Edsger", "Barbara", "Donald", "Frances", "Ken", "Radia", "Tim")
_LAST = ("Whitfield", "Okafor", "Lindqvist", "Moreau", "Tanaka", "Silva", "Novak", "Haddad", "Byrne", "Castellano")


@dataclass(frozen=True)
class Input:
    """A JSONL file in memory. ``suffix`` tells its figures from those of the generated records."""

    body: bytes
    seed: int | None = None
    suffix: str = ""

    @cached_property
    def lines(self) -> list[bytes]:
        return self.body.splitlines()

    @property
    def count(self) -> int:
        return len(self.lines)

    @property
    def megabytes(self) -> float:
        return len(self.body) / 1e6

    def blocks(self, size: int = 256 * 1024) -> Iterator[bytes]:
        return (self.body[start : start + size] for start in range(0, len(self.body), size))


def generated(seed: int, count: int) -> Input:
    """``count`` chats of about 1.1 kB; every sixth user message names a person and how to reach them."""
    rng = random.Random(f"chats/{seed}")
    return Input(b"".join(_line(_chat(rng, number)) for number in range(count)), seed=seed)


def small(seed: int, count: int) -> Iterator[bytes]:
    """``count`` records of about 90 bytes, one in ten with an e-mail address, in blocks; never all in memory."""
    rng = random.Random(f"small/{seed}")
    block: list[bytes] = []
    for number in range(count):
        text = f"{_sentence(rng, 8)} {_email(rng)}" if number % 10 == 0 else _sentence(rng, 12)
        block.append(_line({"id": f"row-{number:07d}", "text": text}))
        if len(block) == 2048:
            yield b"".join(block)
            block = []
    if block:
        yield b"".join(block)


def compact(seed: int, count: int) -> Iterator[bytes]:
    """``count`` records of about 700 bytes in order of id, in blocks; never all in memory."""
    rng = random.Random(f"compact/{seed}")
    block: list[bytes] = []
    for number in range(count):
        block.append(_compact(number, _prose(rng, 26), _prose(rng, 92)))
        if len(block) == 512 or number == count - 1:
            yield b"".join(block)
            block = []


def compact_slices(seed: int, count: int, size: int) -> Iterator[bytes]:
    """The same, as files of ``size`` records."""
    rng = random.Random(f"compact/{seed}")
    for start in range(0, count, size):
        numbers = range(start, min(start + size, count))
        yield b"".join(_compact(number, _prose(rng, 26), _prose(rng, 92)) for number in numbers)


def changed_lines(numbers: Iterable[int], mark: str) -> Iterator[bytes]:
    """Other contents for the records of these numbers, in order of id."""
    for number in sorted(numbers):
        rng = random.Random(f"{mark}/{number}")
        yield _compact(number, mark, _prose(rng, 115))


def _prose(rng: random.Random, words: int) -> str:
    return " ".join(rng.choices(_WORDS, k=words))


def compact_id(number: int) -> str:
    return f"row-{number:08d}"


def _compact(number: int, prompt: str, completion: str) -> bytes:
    scores = {"score": number * 7919 % 1000 / 1000, "turns": number % 7, "language": "en"}
    return _line({"id": compact_id(number), "prompt": prompt, "completion": completion, **scores})


def inputs(plan: Plan, count: int) -> Iterator[Input]:
    """Generated records first, then the files."""
    yield generated(plan.seed, count)
    for path in plan.files:
        body = path.read_bytes()
        body = gzip.decompress(body) if path.suffix == ".gz" else body
        kept = b"".join(body.splitlines(keepends=True)[:count])
        yield Input(kept, suffix=f"/{path.name.split('.')[0]}")


def texts(seed: int, count: int) -> list[str]:
    """Single messages of the generated chats."""
    found: list[str] = []
    for line in generated(seed, -(-count // 4)).lines:
        found.extend(message["content"] for message in orjson.loads(line)["messages"])
    return found[:count]


def edited(source: Input) -> Input:
    """The same records with one changed in the middle."""
    lines = list(source.lines)
    record = orjson.loads(lines[len(lines) // 2])
    record["changed"] = True
    lines[len(lines) // 2] = orjson.dumps(record)
    return Input(b"\n".join(lines) + b"\n", source.seed, source.suffix)


def _line(record: dict[str, Any]) -> bytes:
    return orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)


def _chat(rng: random.Random, number: int) -> dict[str, Any]:
    messages = []
    for turn in range(4):
        content = " ".join(_sentence(rng, rng.randrange(8, 20)) for _ in range(rng.randrange(2, 6)))
        if turn % 2 == 0 and rng.randrange(6) == 0:
            content += f" I am {rng.choice(_FIRST)} {rng.choice(_LAST)}, write to {_email(rng)} or call {_phone(rng)}."
        messages.append({"role": ("user", "assistant")[turn % 2], "content": content})
    return {"id": f"chat-{number:07d}", "language": "en", "opened_ms": 1_760_000_000_000 + number, "messages": messages}


def _sentence(rng: random.Random, words: int) -> str:
    return " ".join(rng.choices(_WORDS, k=words)).capitalize() + "."


def _email(rng: random.Random) -> str:
    return f"{rng.choice(_FIRST)}.{rng.choice(_LAST)}{rng.randrange(1000)}@example.com".lower()


def _phone(rng: random.Random) -> str:
    return f"({rng.randrange(201, 990)}) 555-01{rng.randrange(100):02d}"
