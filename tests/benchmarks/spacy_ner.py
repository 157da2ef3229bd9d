"""A small spaCy model for names, trained here: what presidio is given to compare the whole detector with.

``python -m tests.benchmarks.spacy_ner FILE`` trains it longer and writes it. Read when present: BTC and WNUT17 (both
CC BY 4.0) beside the checkout; otherwise sentences made by Faker. Its speed is what the comparison needs.
"""

import random
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import spacy
from faker import Faker
from spacy.language import Language
from spacy.training import Example

_BESIDE = Path(__file__).resolve().parents[3] / "shared" / "data" / "pii"
_KINDS = {"per": "PERSON", "person": "PERSON", "loc": "GPE", "location": "GPE", "org": "ORG", "corporation": "ORG"}
_CONFIG = {
    "model": {
        "@architectures": "spacy.TransitionBasedParser.v2",
        "state_type": "ner",
        "extra_state_tokens": False,
        "hidden_width": 64,
        "maxout_pieces": 2,
        "use_upper": True,
        "nO": None,
        "tok2vec": {
            "@architectures": "spacy.HashEmbedCNN.v2",
            "pretrained_vectors": None,
            "width": 96,
            "depth": 4,
            "embed_size": 2000,
            "window_size": 1,
            "maxout_pieces": 3,
            "subword_features": True,
        },
    }
}


def baseline_pipeline(seed: int, *, rounds: int = 1, sentences: int = 400) -> tuple[Language, str]:
    """A pipeline with a tok2vec CNN of 96 x 4 and a sentence that says what it was trained on."""
    rng = random.Random(seed)
    pairs = list(_read()) or list(_made(seed, sentences))
    rng.shuffle(pairs)
    nlp = spacy.blank("en")
    with warnings.catch_warnings(action="ignore"):
        nlp.add_pipe("ner", config=_CONFIG)
        examples = [_example(nlp, *pair) for pair in pairs[: sentences * rounds]]
        optimizer = nlp.initialize(lambda: examples)
        for _ in range(rounds):
            for start in range(0, len(examples), 32):
                nlp.update(examples[start : start + 32], sgd=optimizer)
    origin = "BTC and WNUT17" if _BESIDE.exists() else "made sentences"
    return nlp, f"baseline with a spaCy CNN (tok2vec 96x4) trained for {rounds} rounds on {len(examples)} of {origin}"


def _example(nlp: Language, words: list[str], tags: list[str]) -> Example:
    doc = spacy.tokens.Doc(nlp.vocab, words=words)
    return Example.from_dict(doc, {"entities": tags})


def _read() -> Iterator[tuple[list[str], list[str]]]:
    """Sentences of CoNLL files: a word and its tag a line, tags IOB."""
    for path in sorted((*(_BESIDE / "wnut17").glob("*train*"), *(_BESIDE / "btc").glob("*train*"))):
        yield from _sentences(path.read_text(encoding="utf-8"))


def _sentences(text: str) -> Iterator[tuple[list[str], list[str]]]:
    for block in text.split("\n\n"):
        rows = [line.split() for line in block.splitlines() if line.strip() and not line.startswith("#")]
        words, tags = [row[0] for row in rows if len(row) > 1], [_tag(row[-1]) for row in rows if len(row) > 1]
        if words:
            yield words, _repaired(tags)


def _tag(tag: str) -> str:
    place, _, kind = tag.partition("-")
    return f"{place}-{_KINDS[kind.lower()]}" if kind.lower() in _KINDS else "O"


def _repaired(tags: list[str]) -> list[str]:
    """BILUO of IOB, in which no entity continues one that was left out."""
    told: list[str] = []
    for tag in tags:
        follows = bool(told) and told[-1] != "O" and told[-1][2:] == tag[2:]
        told.append(f"B-{tag[2:]}" if tag[0] == "I" and not follows else tag)
    return spacy.training.iob_to_biluo(told)


def _made(seed: int, count: int) -> Iterator[tuple[list[str], list[str]]]:
    fake = Faker()
    fake.seed_instance(seed)
    for _ in range(count):
        name, city, firm = fake.name().split(), fake.city().split(), fake.company().split()
        words = [*name, "of", *city, "works", "for", *firm, *fake.sentence().split()]
        tags = [*_iob(name, "per"), "O", *_iob(city, "loc"), "O", "O", *_iob(firm, "org")]
        told = [_tag(tag) for tag in tags] + ["O"] * (len(words) - len(tags))
        yield words, _repaired(told)


def _iob(words: list[str], kind: str) -> list[str]:
    return [f"{'I' if at else 'B'}-{kind}" for at in range(len(words))]


if __name__ == "__main__":
    trained, what = baseline_pipeline(1, rounds=10, sentences=10_000)
    trained.to_disk(sys.argv[1])
    sys.stdout.write(f"{what}\n")
