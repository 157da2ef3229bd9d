"""Fail when the suite skipped a test that nobody gave a reason for.

``python -m tests.skips report.xml allowed.txt``: a JUnit report, and lines of ``test id  # reason``.
"""

import sys
from pathlib import Path
from xml.etree import ElementTree as ET


def main(report: str, allowed: str) -> int:
    lines = [line.partition("#") for line in Path(allowed).read_text(encoding="utf-8").splitlines()]
    known = {test.strip() for test, _, reason in lines if test.strip() and reason.strip()}
    cases = ET.parse(report).iter("testcase")
    skipped = {f"{case.get('classname')}::{case.get('name')}": case.find("skipped") for case in cases}
    unknown = {test: skip.get("message") for test, skip in skipped.items() if skip is not None and test not in known}
    for test, why in sorted(unknown.items()):
        sys.stderr.write(f"skipped without leave: {test} ({why})\n")
    return 1 if unknown else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
