"""What runs in the process that sets a PDF: JSON in, PDF out. ``python render.py report.typ [accessible] < a.json``."""

import sys
from pathlib import Path

import typst


def main() -> None:
    """The fonts are typst's own, so a document looks the same wherever it is set."""
    template, *accessible = sys.argv[1:]
    data = sys.stdin.buffer.read().decode()
    made = typst.compile(
        Path(template).read_bytes(),
        sys_inputs={"data": data},
        ignore_system_fonts=True,
        pdf_standards=["ua-1"] if accessible else [],
        format="pdf",
    )
    sys.stdout.buffer.write(made)


if __name__ == "__main__":
    main()
