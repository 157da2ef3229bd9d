"""The best labels of many lines at once, and how probable "no name" is at each word (a linear-chain CRF)."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

_NEVER: Final = -1e4

Floats = NDArray[np.float32]
Places = NDArray[np.int64]


def allowed(labels: tuple[str, ...], transitions: Floats) -> Floats:
    """The transitions with those of no well-formed name made impossible (labels O, and B and I of each kind)."""
    checked = transitions.copy()
    for row, before in enumerate(labels):
        for column, after in enumerate(labels):
            if after[0] == "I" and before[1:] != after[1:]:
                checked[row, column] = _NEVER
    return checked


def first_scores(labels: tuple[str, ...]) -> Floats:
    """What is added at the first word of a line: no name goes on over an edge."""
    return np.array([_NEVER if label[0] == "I" else 0 for label in labels], dtype=np.float32)


class Layout:
    """Lines of different lengths walked side by side, longest first, so that step t touches the first ``active[t]``."""

    def __init__(self, starts: Places, lengths: Places) -> None:
        order = np.argsort(-lengths, kind="stable")
        self.starts, self.lengths = starts[order], lengths[order]
        steps = int(lengths.max(initial=0))
        self.active = [int(count) for count in (len(lengths) - np.cumsum(np.bincount(lengths, minlength=steps + 1)))]
        self.steps = steps


def best_labels(scores: Floats, transitions: Floats, layout: Layout) -> NDArray[np.int8]:
    """Viterbi: for each row of ``scores`` the label of the best path through its line; 0 in rows between lines."""
    chosen = np.zeros(len(scores), dtype=np.int8)
    starts, active = layout.starts, layout.active
    back = np.zeros((len(scores), scores.shape[1]), dtype=np.int8)
    reached = scores[starts]
    last = np.zeros(len(starts), dtype=np.int64)
    for step in range(1, layout.steps + 1):
        now = active[step] if step < layout.steps else 0
        # Lines that end before this step are finished.
        last[now : active[step - 1]] = reached[now : active[step - 1]].argmax(axis=1)
        if not now:
            break
        paths = reached[:now, :, None] + transitions
        places = starts[:now] + step
        back[places] = paths.argmax(axis=1)
        reached[:now] = paths.max(axis=1) + scores[places]
    label = last
    for step in range(layout.steps - 1, -1, -1):
        now = active[step]
        places = starts[:now] + step
        chosen[places] = label[:now]
        label[:now] = back[places, label[:now]]
    return chosen


def probabilities(scores: Floats, transitions: Floats, layout: Layout) -> Floats:
    """Forward-backward: the probability of each label at each row; rows between lines are not meaningful."""
    starts, active = layout.starts, layout.active
    passed = np.exp(np.maximum(transitions, -50.0)) * (transitions > _NEVER / 2)
    local = np.exp(scores - scores.max(axis=1, keepdims=True))
    forward = np.zeros_like(local)
    behind = local[starts]
    forward[starts] = behind
    for step in range(1, layout.steps):
        now = active[step]
        places = starts[:now] + step
        behind = (behind[:now] @ passed) * local[places]
        behind /= behind.sum(axis=1, keepdims=True)
        forward[places] = behind
    ahead = np.ones((len(starts), scores.shape[1]), dtype=np.float32)
    for step in range(layout.steps - 2, -1, -1):
        now = active[step + 1]
        places = starts[:now] + step
        below = (ahead[:now] * local[places + 1]) @ passed.T
        ahead[:now] = below / below.sum(axis=1, keepdims=True)
        forward[places] *= ahead[:now]
    total = forward.sum(axis=1, keepdims=True)
    return np.asarray(forward / np.where(total > 0, total, 1), dtype=np.float32)
