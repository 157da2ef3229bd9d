"""Our detector against presidio-analyzer as it comes."""

from collections.abc import Iterator
from pathlib import Path

import presidio_analyzer
import spacy
import yaml
from presidio_analyzer import AnalyzerEngine, EntityRecognizer, RecognizerRegistry, predefined_recognizers
from presidio_analyzer.nlp_engine import SpacyNlpEngine

from anonymization.services.detect import active_detector
from tests.benchmarks.figures import Figure, Plan, interleaved, timed
from tests.benchmarks.inputs import texts


class BlankEngine(SpacyNlpEngine):
    """Tokenizes without a trained model: what both sides have to work with."""

    def __init__(self) -> None:
        super().__init__(models=[{"lang_code": "en", "model_name": "blank"}])
        self.nlp = {"en": spacy.blank("en")}

    def load(self) -> None:
        """There is nothing to load."""


def measure_detection(plan: Plan) -> list[Figure]:
    """``detect_ratio_vs_stock``: how many times faster the vault's detector is on the same texts."""
    sample = texts(plan.seed, plan.texts)
    stock, ours = stock_analyzer(), active_detector()
    stock.analyze(sample[0], language="en")
    ours.detect_texts(sample[:1])
    theirs, own = interleaved(
        plan.rounds,
        timed(lambda: [stock.analyze(text, language="en") for text in sample]),
        timed(ours.detect_texts, sample),
    )
    size = sum(map(len, sample)) / 1e6
    note = (
        f"processor time; baseline in MB/s: AnalyzerEngine, predefined recognizers, blank tokenizer; ours "
        f"{size / own.cpu:.2f} MB/s; n counts texts; median of {plan.rounds} interleaved rounds"
    )
    return [
        Figure("detect_ratio_vs_stock", theirs.cpu / own.cpu, "ratio", size / theirs.cpu, len(sample), plan.seed, note)
    ]


def stock_analyzer() -> AnalyzerEngine:
    """The analyzer with the recognizers that presidio enables for English.

    Its own loader finds classes by their bare names among all that exist, ours too, so they are taken from its package.
    """
    registry = RecognizerRegistry(recognizers=list(_stock_recognizers()), supported_languages=["en"])
    return AnalyzerEngine(registry=registry, nlp_engine=BlankEngine(), supported_languages=["en"])


def _stock_recognizers() -> Iterator[EntityRecognizer]:
    settings = yaml.safe_load((Path(presidio_analyzer.__file__).parent / "conf/default_recognizers.yaml").read_bytes())
    for one in settings["recognizers"]:
        languages = [
            entry if isinstance(entry, str) else entry["language"] for entry in one.get("supported_languages", ["en"])
        ]
        if one.get("enabled", True) and "en" in languages and one["name"] != "SpacyRecognizer":
            recognizer = getattr(predefined_recognizers, one.get("class_name", one["name"]))
            yield recognizer(supported_language="en")
