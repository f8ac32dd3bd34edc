"""One function over many series: `map_series`, on threads, processes or a dask cluster.

::

    mapping         map_series: what is worked on, what is skipped, the table
    engines         where: one after another, threads, processes, a distributed Client
    work, notices   what happens to one series, wherever; the warnings that it gives
    rows            from what the function returned to rows of a table
    kept, cells     rows on disk
    states          whether files, and the function, are still what they were
"""

from dicomlab.cohort.mapping import Stopped, map_series

__all__ = ["Stopped", "map_series"]
