"""Which cells serve which spots: a sparse matrix, its rows spots and its columns cells, sorted by site in each row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from collector.coverage.sphere import Indices
from collector.coverage.stock import Bits


@dataclass(frozen=True, slots=True)
class Layer:
    """The cell of each link, where each pair of a spot and a site begins among them, and each spot among the pairs.

    `spots` are those that have any link, out of `size`.
    """

    size: int
    spots: Indices
    cell: Indices
    pair_starts: Indices
    pair_site: Indices
    spot_starts: Indices

    def per_pair(self, bits: Bits) -> Bits:
        """What the cells of each pair have together."""
        return _united(bits[self.cell], self.pair_starts)

    def per_spot(self, pairs: Bits) -> Bits:
        """What the pairs of each spot have together, for all spots."""
        found = np.zeros(self.size, np.uint64)
        found[self.spots] = _united(pairs, self.spot_starts)
        return found

    def reached(self, bits: Bits) -> Bits:
        """What the cells that serve each spot have together."""
        return self.per_spot(self.per_pair(bits))

    def summed(self, values: Any) -> Indices:
        """Sum of a value of each pair, for all spots."""
        found = np.zeros(self.size, np.intp)
        if len(self.spot_starts):
            found[self.spots] = np.add.reduceat(values, self.spot_starts, dtype=np.intp)
        return found


def layer(spot: Indices, cell: Indices, site_of: Indices, size: int) -> Layer:
    """The layer of links, given as pairs of a spot and a cell in any order, doubled or not."""
    site = site_of[cell]
    order = np.argsort(spot.astype(np.int64) * (int(site_of.max(initial=0)) + 1) + site)
    row, link, site = spot[order], cell[order], site[order]
    pair_starts = _begins(row, site)
    pair_row = row[pair_starts]
    spot_starts = _begins(pair_row)
    return Layer(
        size,
        pair_row[spot_starts].astype(np.int32),
        link.astype(np.int32),
        pair_starts.astype(np.int32),
        site[pair_starts].astype(np.int32),
        spot_starts.astype(np.int32),
    )


def _begins(*columns: Indices) -> Indices:
    """Where a row differs from the one before."""
    count = len(columns[0])
    fresh = np.zeros(count, np.bool_)
    fresh[:1] = True
    for column in columns:
        fresh[1:] |= column[1:] != column[:-1]
    return np.flatnonzero(fresh)


def _united(bits: Bits, starts: Indices) -> Bits:
    if not len(starts):
        return np.empty(0, np.uint64)
    return np.bitwise_or.reduceat(bits, starts)
