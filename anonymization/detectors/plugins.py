"""Recognizers that a user brings: presidio's, their own, or a whole registry, with an NLP engine if they need one."""

from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import Any

from presidio_analyzer import EntityRecognizer, RecognizerResult

from anonymization.detectors.errors import RecognizerRefused
from anonymization.detectors.scan import describe


class WithNlp(EntityRecognizer):
    """Gives a recognizer what presidio's AnalyzerEngine would: the artifacts of an NLP engine over the text.

    ``engine`` is a ``presidio_analyzer.nlp_engine.NlpEngine``, local or in front of a service. The vault has no idea
    what it does with the text: whoever configures one answers for where the text goes.
    """

    def __init__(self, recognizer: EntityRecognizer, engine: Any, language: str = "en") -> None:
        self.inner, self._engine, self._language = recognizer, engine, language
        self.describe = lambda: describe(recognizer)
        super().__init__(
            supported_entities=recognizer.supported_entities,
            name=str(recognizer.name),  # type: ignore[has-type]  # presidio leaves it to inference
            version=str(recognizer.version),
            context=recognizer.context,
        )

    def load(self) -> None:
        if not self._engine.is_loaded():
            self._engine.load()
        self.inner.load()

    def analyze(self, text: str, entities: list[str], nlp_artifacts: Any = None) -> list[RecognizerResult]:
        artifacts = nlp_artifacts or self._engine.process_text(text, self._language)
        return self.inner.analyze(text, entities, artifacts) or []


def load_recognizers(names: Iterable[str], *, nlp_engine: str = "", language: str = "en") -> list[EntityRecognizer]:
    """The recognizers behind dotted names: of a class, of a function that makes one or several, or of a registry.

    With ``nlp_engine``, the dotted name of what makes one, each of them is given its artifacts. Raises
    RecognizerRefused for what cannot be imported or is no recognizer.
    """
    engine = _made(nlp_engine) if nlp_engine else None
    found = [one for name in names for one in _recognizers(_made(name), name, language)]
    loaded = [one if engine is None else WithNlp(one, engine, language) for one in found]
    for one in loaded:
        one.load()
    return loaded


def _recognizers(made: Any, name: str, language: str) -> Sequence[EntityRecognizer]:
    if hasattr(made, "get_recognizers"):
        made = made.get_recognizers(language=language, all_fields=True)
    several = [made] if isinstance(made, EntityRecognizer) else made
    if not isinstance(several, list | tuple) or not all(isinstance(one, EntityRecognizer) for one in several):
        raise RecognizerRefused(f"{name} is no presidio recognizer, no list of them and no registry")
    return several


def _made(name: str) -> Any:
    module, _, member = name.rpartition(".")
    try:
        found = getattr(import_module(module), member)
    except (ImportError, AttributeError, ValueError) as missing:
        raise RecognizerRefused(f"{name} cannot be imported: {type(missing).__name__}") from missing
    return found() if callable(found) else found
