"""The figure of the probes."""

from compliance.posture.catalog import PROBES
from tests.benchmarks.__main__ import SMOKE, measure


def test_a_run_of_the_probes_is_measured() -> None:
    (figure,) = measure(SMOKE, ["probes_s"])
    assert (figure.name, figure.unit, figure.baseline) == ("probes_s", "s", 60)
    assert figure.n == len(PROBES)
    assert figure.value > 0
