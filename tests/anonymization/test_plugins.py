import subprocess
import sys

import pytest
from presidio_analyzer import EntityRecognizer, Pattern, PatternRecognizer, RecognizerRegistry, RecognizerResult
from presidio_analyzer.nlp_engine import NlpArtifacts, NlpEngine

from anonymization.detectors.engine import VaultDetector
from anonymization.detectors.errors import RecognizerRefused
from anonymization.detectors.plugins import load_recognizers

HERE = "tests.anonymization.test_plugins"


class ShoutingRecognizer(EntityRecognizer):
    """Finds words in capitals, by its own way of analyzing."""

    def __init__(self):
        super().__init__(supported_entities=["SHOUT", "OTHER"], name="Shouting", context=["loud"])

    def load(self):
        """Nothing to load."""

    def analyze(self, text, entities, nlp_artifacts=None):  # noqa: ARG002 - presidio's signature
        return [
            RecognizerResult("SHOUT", text.index(word), text.index(word) + len(word), 0.5)
            for word in text.split()
            if word.isupper() and len(word) > 3 and "SHOUT" in entities
        ]


class TokenEngine(NlpEngine):
    """What a service in front of a model would give."""

    def __init__(self):
        self.loads = 0

    def load(self):
        self.loads += 1

    def is_loaded(self):
        return self.loads > 0

    def process_text(self, text, language):
        return NlpArtifacts([], text.split(), [], text.lower().split(), None, language)

    def process_batch(self, texts, language, **_kwargs):
        return ((text, self.process_text(text, language)) for text in texts)

    def is_stopword(self, *_word_and_language):
        return False

    def is_punct(self, *_word_and_language):
        return False

    def get_supported_entities(self):
        return []

    def get_supported_languages(self):
        return ["en"]


class LemmaRecognizer(ShoutingRecognizer):
    """Needs the artifacts of an engine."""

    def analyze(self, text, entities, nlp_artifacts=None):
        at = text.find(nlp_artifacts.tokens[0])
        return [RecognizerResult("SHOUT", at, at + len(nlp_artifacts.tokens[0]), 0.9)] if "SHOUT" in entities else []


def registry():
    parts = PatternRecognizer("PART_NUMBER", name="Parts", patterns=[Pattern("part", r"(?<!\w)PN\d{5}(?!\w)", 0.6)])
    return RecognizerRegistry([parts, ShoutingRecognizer()])


def broken():
    return "no recognizer"


def spans_of(text, *names):
    [spans] = VaultDetector(recognizers=names).detect_texts([text])
    return {(span.entity_type, text[span.start : span.end], span.recognizer, span.context) for span in spans}


def test_a_recognizer_with_its_own_analysis_is_asked():
    assert ("SHOUT", "HELLO", "Shouting", "loud") in spans_of("a loud HELLO", f"{HERE}.ShoutingRecognizer")


def test_a_registry_brings_all_its_recognizers():
    found = spans_of("order PN12345 NOWW", f"{HERE}.registry")
    assert ("PART_NUMBER", "PN12345", "Parts", "") in found
    assert ("SHOUT", "NOWW", "Shouting", "") in found


def test_recognizers_that_need_an_engine_are_given_its_artifacts():
    [recognizer] = load_recognizers([f"{HERE}.LemmaRecognizer"], nlp_engine=f"{HERE}.TokenEngine")
    assert [(one.start, one.end) for one in recognizer.analyze("hello there", ["SHOUT"])] == [(0, 5)]
    [spans] = VaultDetector(recognizers=[f"{HERE}.LemmaRecognizer"], nlp_engine=f"{HERE}.TokenEngine").detect_texts(
        ["hello there"]
    )
    assert ("SHOUT", 0, 5) in {(span.entity_type, span.start, span.end) for span in spans}


@pytest.mark.parametrize("name", [f"{HERE}.broken", f"{HERE}.missing", "no.such.module.at_all", "plain"])
def test_what_is_no_recognizer_is_refused(name):
    with pytest.raises(RecognizerRefused):
        load_recognizers([name])


def test_recognizers_are_part_of_the_content_hash():
    assert VaultDetector(recognizers=[f"{HERE}.registry"]).content_hash != VaultDetector().content_hash


def told_by(code):
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_a_worker_loads_no_spacy_and_presidio_stays_whole():
    told = told_by(
        "import sys\n"
        "from anonymization.detectors.light import install_light_presidio\n"
        "install_light_presidio()\n"
        "from anonymization.detectors.engine import VaultDetector\n"
        "[spans] = VaultDetector().detect_texts(['write to ada@example.com'])\n"
        "print([span.entity_type for span in spans], 'spacy' in sys.modules)\n"
        "import presidio_analyzer\n"
        "print(all(getattr(presidio_analyzer, name) for name in presidio_analyzer.__all__))\n"
        "from presidio_analyzer.predefined_recognizers import SpacyRecognizer\n"
        "from presidio_analyzer.nlp_engine import SpacyNlpEngine, device_detector\n"
        "print(type(device_detector).__name__, 'spacy' in sys.modules)\n"
    )
    first, second, third = told.splitlines()
    assert first == "['EMAIL_ADDRESS'] False"
    assert second == "True"
    assert third == "DeviceDetector True"
