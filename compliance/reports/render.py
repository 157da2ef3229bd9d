"""What runs in the process that sets a report: JSON in, PDF out. ``python render.py < report.json > report.pdf``."""

import sys
from pathlib import Path

import typst

TEMPLATE = Path(__file__).with_name("report.typ")


def main() -> None:
    """The fonts are typst's own, so a report looks the same wherever it is set."""
    data = sys.stdin.buffer.read().decode()
    made = typst.compile(
        TEMPLATE.read_bytes(),
        sys_inputs={"report": data},
        ignore_system_fonts=True,
        pdf_standards=["ua-1"],
        format="pdf",
    )
    sys.stdout.buffer.write(made)


if __name__ == "__main__":
    main()
