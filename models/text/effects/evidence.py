"""What was counted of texts, as log-odds with their noise."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

Array = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]


@dataclass(frozen=True)
class ClickEvidence:
    """One row per text, group and picture.

    Attributes:
        texts: the distinct texts.
        text, group, picture: places of each row's; a picture is of one group.
        day: when it was shown, on any calendar.
        value: log-odds of a click, less their mean over all.
        noise: variance of `value` given the true log-odds.
    """

    texts: tuple[str, ...]
    text: Places
    group: Places
    picture: Places
    day: Array
    value: Array
    noise: Array

    def __len__(self) -> int:
        return len(self.value)

    def blocks(self, size: int, seed: int) -> list["ClickEvidence"]:
        """All rows in random blocks of at most so many: whole groups, but for those that are cut at a block's end."""
        rng = np.random.default_rng(seed)
        turn = rng.permutation(int(self.group.max(initial=-1)) + 1)[self.group]
        order = np.lexsort((rng.random(len(self)), turn))
        return [self._at(np.sort(order[start : start + size])) for start in range(0, len(self), size)]

    def apart(self, share: float, seed: int) -> tuple["ClickEvidence", "ClickEvidence"]:
        """The rows without, and those of, a `share` of the groups; groups with a text in common stay together."""
        texts = len(self.texts)
        edges = coo_matrix((np.ones(len(self)), (self.text, texts + self.group)), shape=(self._nodes, self._nodes))
        count, member = connected_components(edges, directed=False)
        held = (np.random.default_rng(seed).random(count) < share)[member[self.text]]
        return self._at(np.flatnonzero(~held)), self._at(np.flatnonzero(held))

    def pairs(self) -> tuple[Places, Places]:
        """Rows with two texts that shared a group and a picture."""
        rows = pd.DataFrame({"picture": self.picture, "row": np.arange(len(self))})
        both = rows.merge(rows, on="picture")
        both = both[both["row_x"] < both["row_y"]]
        return both["row_x"].to_numpy(), both["row_y"].to_numpy()

    @property
    def _nodes(self) -> int:
        return len(self.texts) + int(self.group.max(initial=-1)) + 1

    def _at(self, rows: Places) -> "ClickEvidence":
        used, text = np.unique(self.text[rows], return_inverse=True)
        group, picture = (np.unique(one[rows], return_inverse=True)[1] for one in (self.group, self.picture))
        rest = (one[rows] for one in (self.day, self.value, self.noise))
        return ClickEvidence(tuple(self.texts[i] for i in used), text, group, picture, *rest)


def evidence(
    texts: Sequence[str],
    groups: Sequence[str],
    impressions: npt.ArrayLike,
    clicks: npt.ArrayLike,
    pictures: Sequence[str | None] | None = None,
    days: npt.ArrayLike = 0.0,
) -> ClickEvidence:
    """Add up the counts of each text in a group with a picture, and turn them into log-odds.

    Half a click is added on either side, which makes logarithms nearly unbiased (Haldane, 1956). The noise is that at
    the group's rate: by its own, a text that had luck would be trusted more.

    Raises `ValueError` for counts that are negative, not finite, or of more clicks than impressions.
    """
    counts = np.column_stack([np.asarray(one, dtype=np.float64) for one in (impressions, clicks)])
    if not np.isfinite(counts).all() or (counts < 0).any() or (counts[:, 1] > counts[:, 0]).any():
        raise ValueError("impressions and clicks: expected finite counts, and no more clicks than impressions")
    frame = pd.DataFrame({"text": list(texts), "group": list(groups), "shown": counts[:, 0], "clicks": counts[:, 1]})
    frame["picture"] = "" if pictures is None else pd.Series(list(pictures), dtype=object).fillna("")
    frame["day"] = np.broadcast_to(np.asarray(days, dtype=np.float64), len(frame))
    keyed = frame[frame["shown"] > 0].groupby(["text", "group", "picture"], as_index=False)
    rows = keyed.agg({"shown": "sum", "clicks": "sum", "day": "mean"})
    text, distinct = pd.factorize(rows["text"], sort=True)
    group = rows.groupby("group").ngroup().to_numpy().astype(np.intp)
    total, of_all = (np.bincount(group, rows[name]) for name in ("shown", "clicks"))
    rate = ((of_all + 0.5) / (total + 1))[group]
    clicked, shown = rows["clicks"].to_numpy(), rows["shown"].to_numpy()
    value = np.log((clicked + 0.5) / (shown - clicked + 0.5))
    return ClickEvidence(
        texts=tuple(distinct),
        text=text,
        group=group,
        picture=rows.groupby(["group", "picture"]).ngroup().to_numpy().astype(np.intp),
        day=rows["day"].to_numpy(dtype=np.float64),
        value=value - (value.mean() if len(value) else 0.0),
        noise=1 / (shown * rate * (1 - rate)),
    )
