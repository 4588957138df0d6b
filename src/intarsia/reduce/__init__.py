"""The engine: the only place where patch distances are computed."""

from intarsia.reduce.pool import least_distance, pool
from intarsia.reduce.rule import PoolRule, exact_fraction
from intarsia.reduce.state import Drawn, Pool

__all__ = ["Drawn", "Pool", "PoolRule", "exact_fraction", "least_distance", "pool"]
