"""rechunk changes the chunking of Zarr arrays of any size, within memory that
you set, on native threads or on the engine you use (Dask, Beam, Prefect).
"""

from rechunk.api import rechunk
from rechunk.errors import RechunkError, RechunkWarning
from rechunk.executor import Executor
from rechunk.plan import Plan, run_step
from rechunk.rechunked import Rechunked
from rechunk.specs import CopySpec, StagedCopySpec
from rechunk.steps import Step

__version__ = "0.1.0"

__all__ = [
    "CopySpec",
    "Executor",
    "Plan",
    "RechunkError",
    "RechunkWarning",
    "Rechunked",
    "StagedCopySpec",
    "Step",
    "rechunk",
    "run_step",
]
