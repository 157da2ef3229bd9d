"""``python -m tests.benchmarks [--only name,name]``: measure, print a table, write bench.json."""

import argparse
import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from pathlib import Path

import django
import orjson

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vaultsite.settings")
django.setup()

from django.core.management import call_command  # noqa: E402 - the models need the settings

from tests.benchmarks.anomalies import measure_anomalies  # noqa: E402
from tests.benchmarks.anonymized import measure_anonymized_read  # noqa: E402
from tests.benchmarks.audit_log import measure_sealing  # noqa: E402
from tests.benchmarks.audit_queries import measure_audit_append, measure_audit_queries  # noqa: E402
from tests.benchmarks.audit_verification import measure_verifying  # noqa: E402
from tests.benchmarks.dashboard import measure_dashboard  # noqa: E402
from tests.benchmarks.decisions import measure_authorize, measure_lists  # noqa: E402
from tests.benchmarks.detection import (  # noqa: E402
    measure_detection,
    measure_detector_start,
    measure_parity,
    measure_patterns,
    measure_records,
)
from tests.benchmarks.feed import measure_feed  # noqa: E402
from tests.benchmarks.figures import Figure, Plan, machine, table  # noqa: E402
from tests.benchmarks.get_dataset import measure_get_dataset  # noqa: E402
from tests.benchmarks.guarantees import measure_guarantees  # noqa: E402
from tests.benchmarks.memory import measure_worker  # noqa: E402
from tests.benchmarks.names import measure_names  # noqa: E402
from tests.benchmarks.paths import measure_growth, measure_ingest, measure_read  # noqa: E402
from tests.benchmarks.posture import measure_probes  # noqa: E402
from tests.benchmarks.privacy import measure_privacy  # noqa: E402
from tests.benchmarks.recovery import measure_recovery  # noqa: E402
from tests.benchmarks.relay import measure_relay  # noqa: E402
from tests.benchmarks.replays import measure_replay  # noqa: E402
from tests.benchmarks.reports import measure_reports  # noqa: E402
from tests.benchmarks.subjects import measure_subject_erasure, measure_subject_search  # noqa: E402
from tests.benchmarks.tokens import measure_tokens  # noqa: E402
from tests.benchmarks.tree import measure_build, measure_tree  # noqa: E402
from tests.benchmarks.trust import measure_trust  # noqa: E402
from tests.benchmarks.versions import measure_versions  # noqa: E402

Measurement = Callable[[Plan], list[Figure]]

#: Each measurement with the names of the figures it gives.
MEASUREMENTS: dict[Measurement, tuple[str, ...]] = {
    measure_build: ("tree_build_ratio",),
    measure_anomalies: ("anomaly_recall", "anomaly_false_week"),
    measure_sealing: ("sealer_events_s",),
    measure_verifying: ("verify_events_s", "verify_ratio"),
    measure_get_dataset: ("get_dataset_ratio", "get_dataset_rps"),
    measure_versions: (
        "diff_10_of_1m_ratio",
        "commit_10_on_1m_ratio",
        "merge_2x1000_ratio",
        "commit_10_growth_ratio",
        "scan_ratio",
        "point_read_blobs",
        "two_worker_ratio",
        "peak_mb_1m",
        "peak_mb_100k",
    ),
    measure_subject_search: ("subject_search_ms", "subject_search_growth_ratio"),
    measure_subject_erasure: ("sweep_mb_s", "erasure_ratio"),
    measure_tree: ("ingest_ratio_without_detection", "ingest_ratio_with_database"),
    measure_ingest: ("ingest_mb_s", "ingest_records_s"),
    measure_read: ("read_ratio", "read_mb_s"),
    measure_anonymized_read: ("span_read_ratio",),
    measure_growth: ("same_file_growth_ratio", "one_edit_chunks"),
    measure_parity: ("pattern_parity_diffs", "pattern_parity_texts"),
    measure_patterns: ("pattern_speed_200", "pattern_speed_2000", "pattern_speed_clean"),
    measure_detection: ("detector_speed_ratio", "detect_ratio_vs_stock"),
    measure_detector_start: ("worker_start_s", "worker_rss_mb"),
    measure_records: ("detector_mb_s", "detector_scaling"),
    measure_guarantees: (
        "adult_k5_s",
        "adult_k5_ncp",
        "adult_k5_ranges_s",
        "adult_k5_ranges_ncp",
        "k5_1m_s",
        "k5_1m_ncp",
    ),
    measure_worker: ("worker_peak_mb",),
    measure_names: (
        "names_per_s",
        "names_speed_ratio",
        "names_model_mb",
        "names_person_f2",
        "names_location_f2",
        "names_organization_f2",
    ),
    measure_tokens: ("tokenize_per_s", "detokenize_per_s", "tokenize_ratio", "detokenize_ratio"),
    measure_privacy: ("statistics_us", "release_check_us"),
    measure_trust: ("trust_effective_us", "trust_deny_us"),
    measure_authorize: ("authorize_p50_ms", "authorize_p99_ms", "authorize_ratio"),
    measure_replay: ("replay_s",),
    measure_lists: ("list_visible_ratio",),
    measure_audit_queries: ("summary_ms", "summary_growth_ratio", "events_page_growth_ratio"),
    measure_audit_append: ("audit_append_ratio",),
    measure_dashboard: ("dashboard_ms",),
    measure_relay: ("relay_events_s",),
    measure_feed: ("feed_p99_ms",),
    measure_probes: ("probes_s",),
    measure_recovery: ("backup_s", "restore_s"),
    measure_reports: ("report_1m_s", "report_peak_mb"),
}
NAMES = tuple(name for names in MEASUREMENTS.values() for name in names)

FULL = Plan(
    seed=1, rounds=5, scanned_rounds=3, records=20_000, scanned_records=4_000, small_records=200_000, texts=2_000,
    large=1_000_000, less=100_000, branched=1_000, own_processes=True,
)  # fmt: skip
SMOKE = Plan(
    seed=1, rounds=1, scanned_rounds=1, records=60, scanned_records=60, small_records=200, texts=8,
    large=2_000, less=500, branched=20, own_processes=False,
)  # fmt: skip
#: Public JSONL files that a developer may keep beside the checkout; measured too when they are there.
BESIDE = Path(__file__).resolve().parents[3] / "shared" / "data" / "llm"


def measure(plan: Plan, wanted: Iterable[str] = NAMES) -> list[Figure]:
    """The figures of those names, in the order of the table above."""
    names = set(wanted)
    call_command("migrate", database="owner", interactive=False, verbosity=0)
    figures: list[Figure] = []
    for measurement, own in MEASUREMENTS.items():
        if names.isdisjoint(own):
            continue
        sys.stderr.write(f"measuring {', '.join(own)} ...\n")
        made = [one for one in measurement(plan) if one.name.partition("/")[0] in names]
        figures += [replace(one, note=f"{one.note}; {machine()}") for one in made]
    return figures


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description="Measure the vault.")
    parser.add_argument("--only", default="", help=f"names with commas between, of: {', '.join(NAMES)}")
    parser.add_argument("--output", type=Path, default=Path("bench.json"))
    parser.add_argument("--smoke", action="store_true", help="a few records, to see that everything runs")
    chosen = parser.parse_args(arguments)
    wanted = tuple(filter(None, chosen.only.split(","))) or NAMES
    if unknown := sorted(set(wanted) - set(NAMES)):
        parser.error(f"there is no benchmark {', '.join(unknown)}")
    plan = SMOKE if chosen.smoke else replace(FULL, files=tuple(sorted(BESIDE.glob("*.jsonl.gz"))))
    figures = measure(plan, wanted)
    chosen.output.write_bytes(orjson.dumps([asdict(one) for one in figures], option=orjson.OPT_INDENT_2))
    sys.stdout.write(f"{machine()}\n\n{table(figures)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
