"""How candidates become an order, and how well the best of them answer."""

from .evidence import judge
from .features import FAMILIES, features
from .fusion import Weights, fitted_weights, fuse
from .order import lifted, newest_first, told_apart
from .ranked import Ranking

__all__ = [
    "FAMILIES",
    "Ranking",
    "Weights",
    "features",
    "fitted_weights",
    "fuse",
    "judge",
    "lifted",
    "newest_first",
    "told_apart",
]
