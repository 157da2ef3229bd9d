"""The model file: a header, the lexicon, the names of the features and their weights, compressed.

The file holds data only, nothing that runs. Layout: eight bytes ``LDVNAME1``, then one Zstandard frame of a JSON header
with its length as four bytes before it, followed by the sections the header gives the lengths of.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
import zstandard
from numpy.typing import NDArray

from anonymization.names.errors import NameModelMalformed, NameModelMissing
from anonymization.names.lexicon import Lexicon

_MAGIC: Final = b"LDVNAME1"
_LARGEST: Final = 256 * 1024**2
_LEVEL: Final = 19


@dataclass(frozen=True, slots=True)
class NameModel:
    """What training makes and the finder reads.

    ``weights`` has a row for each name in ``features`` and a column for each of ``labels``; ``transitions[a, b]``
    scores label b right after label a. ``strict_below`` is the probability of "no name" under which strict mode
    reports a word, ``report_below`` the same without strict mode. ``facts`` say how the model came to be.
    """

    language: str
    labels: tuple[str, ...]
    classes: tuple[str, ...]
    frequent: frozenset[str]
    lexicon: Lexicon
    features: tuple[str, ...]
    weights: NDArray[np.float32]
    transitions: NDArray[np.float32]
    report_below: float
    strict_below: float
    facts: dict[str, Any]
    content_hash: bytes = b""


def encode_model(model: NameModel) -> bytes:
    """The file of a model: the same model gives the same bytes. Weights are rounded to 255 steps."""
    scale = max(float(np.abs(model.weights).max(initial=0.0)) / 127, 1e-6)
    words = sorted(model.lexicon.words)
    phrases = sorted(" ".join(phrase) for phrase in model.lexicon.phrases)
    sections = [
        "\n".join(words).encode(),
        np.array([model.lexicon.words[word] for word in words], dtype="<u2").tobytes(),
        "\n".join(phrases).encode(),
        "\n".join(model.features).encode(),
        np.ascontiguousarray(np.rint(model.weights / scale).astype(np.int8).T).tobytes(),
        model.transitions.astype("<f4").tobytes(),
    ]
    header = {
        "language": model.language,
        "labels": model.labels,
        "classes": model.classes,
        "frequent": sorted(model.frequent),
        "scale": scale,
        "report_below": model.report_below,
        "strict_below": model.strict_below,
        "facts": model.facts,
        "sections": [len(section) for section in sections],
    }
    head = orjson.dumps(header, option=orjson.OPT_SORT_KEYS)
    content = b"".join([len(head).to_bytes(4, "little"), head, *sections])
    return _MAGIC + zstandard.ZstdCompressor(level=_LEVEL, write_content_size=True).compress(content)


def load_model(path: Path) -> NameModel:
    """The model at a path. Raises NameModelMissing or NameModelMalformed."""
    try:
        encoded = path.read_bytes()
    except OSError as missing:
        raise NameModelMissing(f"No model file can be read at {str(path)!r}") from missing
    return decode_model(encoded)


def decode_model(encoded: bytes) -> NameModel:
    """What :func:`encode_model` was given, with the SHA-256 of the bytes. Raises NameModelMalformed."""
    if not encoded.startswith(_MAGIC):
        raise NameModelMalformed("The file does not begin as a model for names does")
    try:
        content = zstandard.ZstdDecompressor().decompress(encoded[len(_MAGIC) :], max_output_size=_LARGEST)
        size = int.from_bytes(content[:4], "little")
        header = orjson.loads(content[4 : 4 + size])
        sections = _sections(content, 4 + size, header["sections"])
        return _build(header, sections, hashlib.sha256(encoded).digest())
    except (zstandard.ZstdError, orjson.JSONDecodeError, KeyError, TypeError, ValueError) as malformed:
        raise NameModelMalformed("The file is damaged or of another version") from malformed


def _sections(content: bytes, start: int, lengths: Sequence[int]) -> list[bytes]:
    ends = np.cumsum([start, *lengths]).tolist()
    if ends[-1] != len(content):
        raise NameModelMalformed("The file is cut short")
    return [content[begin:end] for begin, end in pairwise(ends)]


def _build(header: dict[str, Any], sections: list[bytes], content_hash: bytes) -> NameModel:
    words, kinds, phrases, features, weights, transitions = sections
    labels, names = tuple(header["labels"]), tuple(features.decode().split("\n"))
    kinds_of = np.frombuffer(kinds, dtype="<u2").tolist()
    lexicon = Lexicon(
        dict(zip(words.decode().split("\n"), kinds_of, strict=True)),
        [phrase.split(" ") for phrase in phrases.decode().split("\n") if phrase],
    )
    steps = np.frombuffer(weights, dtype=np.int8).reshape(len(labels), len(names)).T
    return NameModel(
        language=header["language"],
        labels=labels,
        classes=tuple(header["classes"]),
        frequent=frozenset(header["frequent"]),
        lexicon=lexicon,
        features=names,
        weights=np.ascontiguousarray(steps, dtype=np.float32) * np.float32(header["scale"]),
        transitions=np.frombuffer(transitions, dtype="<f4").reshape(len(labels), len(labels)).copy(),
        report_below=float(header["report_below"]),
        strict_below=float(header["strict_below"]),
        facts=header["facts"],
        content_hash=content_hash,
    )
