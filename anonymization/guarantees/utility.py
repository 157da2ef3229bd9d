"""What a recoding costs: how much of the table is left in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from anonymization.guarantees.table import Recoding


@dataclass(frozen=True)
class Utility:
    """``information_loss`` is the mean NCP of all cells of the table, 0 to 1, a dropped row counting 1 in each.

    ``discernibility`` adds for each row the rows it cannot be told from; for a dropped one all rows (Bayardo and
    Agrawal 2005). ``average_class_size`` is that of the released rows over k (LeFevre et al. 2006): 1 is the best.
    """

    information_loss: float
    loss_by_column: tuple[float, ...]
    discernibility: int
    average_class_size: float
    classes: int
    released: int
    dropped: int

    def as_json(self, names: tuple[str, ...]) -> Mapping[str, Any]:
        """Fractions as texts of six digits: a passport holds none."""
        return {
            "information_loss": f"{self.information_loss:.6f}",
            "loss_by_column": {name: f"{loss:.6f}" for name, loss in zip(names, self.loss_by_column, strict=True)},
            "discernibility": str(self.discernibility),
            "average_class_size": f"{self.average_class_size:.6f}",
            "classes": self.classes,
            "released": self.released,
            "dropped": self.dropped,
        }


def utility_of(recoding: Recoding, k: int) -> Utility:
    sizes, rows = recoding.sizes(), len(recoding.classes)
    released = int(sizes.sum())
    dropped = rows - released
    columns = [
        float(((loss[recoding.cells[:, place]] * sizes).sum() + dropped) / max(rows, 1))
        for place, loss in enumerate(recoding.loss)
    ]
    return Utility(
        information_loss=float(np.mean(columns)) if columns else 0.0,
        loss_by_column=tuple(columns),
        discernibility=int((sizes.astype(object) ** 2).sum()) + dropped * rows,
        average_class_size=released / max(recoding.count, 1) / k,
        classes=recoding.count,
        released=released,
        dropped=dropped,
    )
