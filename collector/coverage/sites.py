"""Which cells hang on the same mast: those of one declared code, and those within 50 m of each other, whoever's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from collector.coverage.sphere import Floats, Indices, chords, vectors
from collector.coverage.stock import Stock
from collector.records import Cell

SAME_MAST_KM = 0.05
# Operators that number their sites alike may mean different ones: farther apart than this, they do.
SAME_CODE_KM = 0.5
Code = tuple[str, str]  # as its operator declares it
Pairs = list[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Sites:
    """All sites; `of_cell` says which one each cell is on. A position is the middle of its cells', NaN if unknown.

    An id is the lowest declared code, else the position, else the cell's own name.
    """

    ids: Sequence[str]
    of_cell: Indices
    lat: Floats
    lon: Floats

    def positions(self, stock: Stock) -> tuple[Floats, Floats]:
        """Where each cell is: where it says, else where its site is."""
        here = stock.placed
        lat, lon = np.where(here, stock.lat, self.lat[self.of_cell]), np.where(here, stock.lon, self.lon[self.of_cell])
        return lat, lon


def merge(stock: Stock) -> Sites:
    """The sites of all cells."""
    spots, spot_of = _spots(stock)
    codes = _codes(stock)
    code_of = np.array([codes.get((cell.operator, cell.site), -1) for cell in stock.cells], np.intp)
    first_code, first_bare = len(spots), len(spots) + len(codes)
    nodes = np.where(code_of >= 0, first_code + code_of, spot_of)
    bare = np.flatnonzero(nodes < 0)
    nodes[bare] = first_bare + np.arange(len(bare))
    both = (code_of >= 0) & (spot_of >= 0)
    edges = [np.column_stack((first_code + code_of[both], spot_of[both])), _near(spots)]
    edges.append(first_code + np.array(_shared(codes, _middles(stock, code_of, len(codes))), np.intp).reshape(-1, 2))
    site = _components(np.concatenate(edges), first_bare + len(bare))[nodes]
    site = np.unique(site, return_inverse=True)[1]
    middle = _middles(stock, site, int(site.max(initial=-1)) + 1)
    return Sites(_ids(stock, site, middle), site, middle[:, 0], middle[:, 1])


def _spots(stock: Stock) -> tuple[Floats, Indices]:
    """The different positions (latitude, longitude), and which one each cell has, -1 for none."""
    here = stock.placed
    found, inverse = np.unique(stock.lat[here] + 1j * stock.lon[here], return_inverse=True)
    of_cell = np.full(len(here), -1, np.intp)
    of_cell[here] = inverse
    return np.column_stack((found.real, found.imag)), of_cell


def _codes(stock: Stock) -> dict[Code, int]:
    """A number for each declared code of each operator."""
    found: dict[Code, int] = {}
    for cell in stock.cells:
        if cell.site:
            found.setdefault((cell.operator, cell.site), len(found))
    return found


def _near(spots: Floats) -> Indices:
    """Pairs of positions within 50 m."""
    if len(spots) < 2:
        return np.empty((0, 2), np.intp)
    reach = float(chords(np.array(SAME_MAST_KM)))
    pairs: Indices = cKDTree(vectors(spots[:, 0], spots[:, 1])).query_pairs(reach, output_type="ndarray")
    return pairs


def _shared(codes: dict[Code, int], middles: Floats) -> Pairs:
    """Pairs of codes that read the same at two operators and are not known to be apart."""
    owners: defaultdict[str, list[int]] = defaultdict(list)
    for (_, code), number in codes.items():
        owners[code].append(number)
    pairs = [pair for numbers in owners.values() if len(numbers) > 1 for pair in combinations(numbers, 2)]
    if not pairs:
        return []
    reach = float(chords(np.array(SAME_CODE_KM)))
    ends = np.array(pairs)
    place = vectors(middles[:, 0], middles[:, 1])
    apart = np.linalg.norm(place[ends[:, 0]] - place[ends[:, 1]], axis=1)  # NaN where one has no position
    return [pair for pair, far in zip(pairs, apart > reach, strict=True) if not far]


def _middles(stock: Stock, number: Indices, count: int) -> Floats:
    """Mean latitude and longitude of the placed cells of each number; NaN for none."""
    known = stock.placed & (number >= 0)
    share = np.bincount(number[known], minlength=count).astype(np.float64)
    share[share == 0] = np.nan
    sums = [np.bincount(number[known], column[known], count) for column in (stock.lat, stock.lon)]
    return np.column_stack(sums) / share[:, None]


def _components(edges: Indices, count: int) -> Indices:
    graph = coo_array((np.ones(len(edges), np.int8), (edges[:, 0], edges[:, 1])), shape=(count, count))
    labels: Indices = connected_components(graph, directed=False)[1]
    return labels


def _ids(stock: Stock, site: Indices, middle: Floats) -> list[str]:
    named = dict(_named(stock, site.tolist()))
    lat, lon = middle[:, 0].tolist(), middle[:, 1].tolist()
    placed = np.isfinite(middle[:, 0]).tolist()
    bare = {number: cell for cell, number in enumerate(site.tolist()) if not placed[number]}
    return [
        named.get(number)
        or (f"{lat[number]:.5f},{lon[number]:.5f}" if placed[number] else _key(stock.cells[bare[number]]))
        for number in range(len(middle))
    ]


def _key(cell: Cell) -> str:
    return f"{cell.operator}/{cell.key}"


def _named(stock: Stock, site: list[int]) -> Iterable[tuple[int, str]]:
    """Sites and their lowest code, with the operator where another site has the same."""
    codes = sorted(
        {(cell.site, cell.operator, number) for cell, number in zip(stock.cells, site, strict=True) if cell.site}
    )
    named: set[int] = set()
    taken: set[str] = set()
    for code, operator, number in codes:
        if number in named:
            continue
        named.add(number)
        name = f"{code}@{operator}" if code in taken else code
        taken.add(code)
        yield number, name
