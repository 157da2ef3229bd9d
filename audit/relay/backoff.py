"""How long is waited before what failed is tried again."""

import random
from typing import Final

#: Seconds before the second try, what each further wait grows by, and the longest, seconds.
INITIAL: Final = 1.0
FACTOR: Final = 3.0
LONGEST: Final = 300.0
#: How often a message is handed to a broker that refuses it.
TRIES: Final = 5


def wait_seconds(failures: int) -> float:
    """The wait after the given number of failures in a row: grows to LONGEST, less up to a fifth by chance.

    So that those who failed together do not all come back together.
    """
    full = min(INITIAL * FACTOR ** min(failures - 1, 20), LONGEST)
    return full * random.uniform(0.8, 1.0)  # noqa: S311 - spreads load, hides nothing
