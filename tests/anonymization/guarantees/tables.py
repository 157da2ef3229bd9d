"""Random small tables, and a judge that knows nothing of the code it judges."""

import math
from collections import Counter, defaultdict

import numpy as np
from hypothesis import strategies as st

from anonymization.guarantees.hierarchy import Hierarchy
from anonymization.guarantees.made import flat, intervals
from anonymization.guarantees.table import Quasi, Sensitive, Table

AGES = [str(age) for age in range(20, 60)]
PLACES = Hierarchy.of(
    [
        ("Rome", "Italy", "Europe"),
        ("Milan", "Italy", "Europe"),
        ("Paris", "France", "Europe"),
        ("Lyon", "France", "Europe"),
        ("Tokyo", "Japan", "Asia"),
        ("Osaka", "Japan", "Asia"),
        ("Seoul", "Korea", "Asia"),
    ]
)
AGE = intervals(AGES, [5, 10, 20])
KIND = flat(["a", "b", "c"])


def make_table(seed, rows, *, subjects=0, values=3, ordered=False, skew=1.0):
    """A table of three quasi-identifiers and one sensitive attribute; the same for the same arguments."""
    random = np.random.default_rng(seed)
    quasi = [
        Quasi("age", random.integers(0, AGE.size, rows).astype(np.int32), AGE),
        Quasi("place", (random.random(rows) ** 2 * PLACES.size).astype(np.int32), PLACES),
        Quasi("kind", random.integers(0, KIND.size, rows).astype(np.int32), KIND),
    ]
    sensitive = [Sensitive("ill", (random.random(rows) ** skew * values).astype(np.int32), values, ordered)]
    whose = random.integers(0, subjects, rows).astype(np.int32) if subjects else None
    return Table(quasi, sensitive, whose)


@st.composite
def tables(draw):
    rows = draw(st.integers(1, 120))
    return make_table(
        draw(st.integers(0, 10_000)),
        rows,
        subjects=draw(st.sampled_from([0, 0, 4, 30, 200])),
        values=draw(st.integers(1, 5)),
        ordered=draw(st.booleans()),
        skew=draw(st.sampled_from([1.0, 2.5])),
    )


def released(table, recoding):
    """Rows as (shown, subject, sensitive code), without those dropped."""
    for row in range(len(table)):
        shown = recoding.row(row)
        if shown is not None:
            who = row if table.subjects is None else int(table.subjects[row])
            yield shown, who, int(table.sensitive[0].codes[row])


def classes_of(table, recoding):
    found = defaultdict(list)
    for shown, who, value in released(table, recoding):
        found[shown].append((who, value))
    return found


def judge(table, recoding, guarantee):
    """Whether the released rows meet the guarantee, counted from scratch."""
    found = classes_of(table, recoding)
    whole = Counter(value for _, value in {pair for rows in found.values() for pair in rows})
    return all(
        len({who for who, _ in rows}) >= guarantee.k
        and is_diverse(Counter(value for _, value in set(rows)), guarantee.diversity)
        and is_close(Counter(value for _, value in set(rows)), whole, table.sensitive[0], guarantee.t)
        for rows in found.values()
    )


def is_diverse(counts, wanted):
    if wanted is None:
        return True
    total, ranked = sum(counts.values()), sorted(counts.values(), reverse=True)
    if wanted.kind == "distinct":
        return len(counts) >= wanted.l
    if wanted.kind == "entropy":
        return -sum(n / total * math.log(n / total) for n in ranked) >= math.log(wanted.l) - 1e-9
    return ranked[0] < wanted.c * sum(ranked[int(wanted.l) - 1 :])


def is_close(counts, whole, attribute, t):
    if t is None:
        return True
    extra = [
        counts[value] / sum(counts.values()) - whole[value] / sum(whole.values()) for value in range(attribute.size)
    ]
    if attribute.is_ordered:
        moved = sum(abs(sum(extra[: at + 1])) for at in range(len(extra))) / max(len(extra) - 1, 1)
    else:
        moved = sum(map(abs, extra)) / 2
    return moved <= t + 1e-9
