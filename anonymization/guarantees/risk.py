"""The risk that somebody in a released table is found again, by three kinds of attackers (El Emam 2013; as ARX)."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from anonymization.guarantees.table import Ids


@dataclass(frozen=True)
class Risk:
    """``prosecutor``: knows the person is in the table; ``journalist``: knows only that they are in the population it
    was drawn from; both are the risk of the person who is easiest to find. ``marketer``: the share of rows found by
    matching all of them. ``average`` is the prosecutor's mean, ``unique`` the share of rows alone in their class,
    ``records_at_risk`` that of rows whose risk is above ``threshold``.

    Without a population nothing can be said of the journalist (None): the prosecutor's risk bounds it and is no figure
    of it.
    """

    prosecutor: float
    journalist: float | None
    marketer: float
    average: float
    unique: float
    records_at_risk: float
    threshold: float

    def as_json(self) -> Mapping[str, str]:
        """Fractions as texts, since a passport holds none; what cannot be said is left out."""
        return {name: f"{value:.6f}" for name, value in vars(self).items() if value is not None}


def risk_of(subjects: Ids, rows: Ids, *, population: Ids | None = None, threshold: float = 0.2) -> Risk:
    """The risks of classes that hold so many ``subjects`` in so many ``rows``.

    ``population`` says how many people of the population look like each class; none given: nobody knows.
    """
    total = int(rows.sum())
    if not total:
        return Risk(0.0, None if population is None else 0.0, 0.0, 0.0, 0.0, 0.0, threshold)
    each = 1.0 / subjects
    around = subjects if population is None else np.maximum(population, subjects)
    return Risk(
        prosecutor=float(each.max()),
        journalist=None if population is None else float((1.0 / around).max()),
        marketer=float((rows / around).sum() / total),
        average=float((rows * each).sum() / total),
        unique=float(rows[subjects == 1].sum() / total),
        records_at_risk=float(rows[each > threshold].sum() / total),
        threshold=threshold,
    )
