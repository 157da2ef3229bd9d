"""presidio-analyzer as it comes, over a blank pipeline: what the vault's detector is compared with."""

from collections.abc import Iterator
from pathlib import Path

import presidio_analyzer
import spacy
import yaml
from presidio_analyzer import AnalyzerEngine, EntityRecognizer, RecognizerRegistry, predefined_recognizers
from presidio_analyzer.nlp_engine import SpacyNlpEngine
from spacy.language import Language
from spacy.tokens import Doc


@Language.component("lower_case_lemmas")
def lower_case_lemmas(doc: Doc) -> Doc:
    """Without lemmas presidio never finds a supporting word."""
    for token in doc:
        token.lemma_ = token.lower_
    return doc


class BlankEngine(SpacyNlpEngine):
    """Tokenizes without a trained model: what both sides have to work with."""

    def __init__(self, nlp: Language | None = None) -> None:
        super().__init__(models=[{"lang_code": "en", "model_name": "blank"}])
        self.nlp = {"en": nlp or spacy.blank("en")}
        self.nlp["en"].add_pipe("lower_case_lemmas")

    def load(self) -> None:
        """There is nothing to load."""


def stock_analyzer(nlp: Language | None = None) -> AnalyzerEngine:
    """The analyzer with the recognizers that presidio enables for English; with a model, its names as well.

    Its own loader finds classes by their bare names among all that exist, ours too, so they are taken from its package.
    """
    recognizers = list(_stock_recognizers())
    if nlp is not None:
        recognizers.append(predefined_recognizers.SpacyRecognizer(supported_language="en"))
    registry = RecognizerRegistry(recognizers=recognizers, supported_languages=["en"])
    return AnalyzerEngine(registry=registry, nlp_engine=BlankEngine(nlp), supported_languages=["en"])


def _stock_recognizers() -> Iterator[EntityRecognizer]:
    settings = yaml.safe_load((Path(presidio_analyzer.__file__).parent / "conf/default_recognizers.yaml").read_bytes())
    for one in settings["recognizers"]:
        languages = [
            entry if isinstance(entry, str) else entry["language"] for entry in one.get("supported_languages", ["en"])
        ]
        if one.get("enabled", True) and "en" in languages and one["name"] != "SpacyRecognizer":
            recognizer = getattr(predefined_recognizers, one.get("class_name", one["name"]))
            yield recognizer(supported_language="en")
