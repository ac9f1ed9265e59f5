"""How candidates become an order, and how well the best of them answer."""

from .evidence import judge
from .features import FAMILIES, features
from .fusion import Weights, best_per_item, fitted_weights, fuse
from .order import lifted, newest_first, without_repeats
from .ranked import Ranking

__all__ = [
    "FAMILIES",
    "Ranking",
    "Weights",
    "best_per_item",
    "features",
    "fitted_weights",
    "fuse",
    "judge",
    "lifted",
    "newest_first",
    "without_repeats",
]
