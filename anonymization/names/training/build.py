"""From corpora and templates to a model."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from faker.providers.lorem.en_US import Provider as EnglishWords

from anonymization.names.model import NameModel
from anonymization.names.training.examples import Example
from anonymization.names.training.gazetteers import build_lexicon
from anonymization.names.training.generate import TEMPLATES, generate, read_templates
from anonymization.names.training.learn import Settings, labelled_lines, learn

#: Real text counts as often as this, so that made-up text does not drown it.
_REAL_COPIES: Final = 2


def build_model(real: Sequence[Example], *, texts: int, seed: int, settings: Settings | None = None) -> NameModel:
    """A model of the real examples and of ``texts`` generated ones; the same arguments give the same model."""
    generated = generate(read_templates(TEMPLATES), texts, seed=seed)
    examples = [*(list(real) * _REAL_COPIES), *generated]
    return learn(examples, build_lexicon(common_words([*real, *generated])), settings or Settings(), seed=seed)


def common_words(examples: Sequence[Example]) -> Counter[str]:
    """How often each lower-case word stands outside names in text that has capitals."""
    counts: Counter[str] = Counter()
    for word in EnglishWords.word_list:
        counts[word] = 2
    for example in examples:
        for line, labels in labelled_lines(example):
            if not line.is_lower:
                words = zip(line.words, labels, strict=True)
                counts.update(word for word, label in words if label == "O" and word.islower())
    return counts
