"""Widths, lengths and names of steps as they are typed into forms."""


def as_steps(text: str) -> list[float | str]:
    """Numbers and words between blanks or commas."""
    return [float(step) if is_number(step) else step for step in text.replace(",", " ").split()]


def is_number(text: str | None) -> bool:
    """Whether a field holds a plain number, or nothing."""
    return not text or text.replace(".", "", 1).isdigit()
