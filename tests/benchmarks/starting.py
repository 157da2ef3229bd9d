"""A process that starts as a worker does and detects once: says how long that took and what memory."""

import os
import sys
import time

_STARTED = time.perf_counter()


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vaultsite.settings")
    import django

    django.setup()
    from anonymization.services.detect import detect_text  # after django.setup()

    detect_text("Write to Ada Whitfield, ada@example.com or (212) 555-0142, card 4111 1111 1111 1111.")
    import orjson

    from tests.benchmarks.figures import peak_mb

    told = {
        "wall": time.perf_counter() - _STARTED,
        "cpu": time.process_time(),
        "peak_mb": peak_mb(),
        "has_spacy": "spacy" in sys.modules,
    }
    sys.stdout.buffer.write(orjson.dumps(told))


if __name__ == "__main__":
    main()
