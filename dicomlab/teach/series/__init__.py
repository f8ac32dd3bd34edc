"""The series explorer: what a folder holds, from patient to frame, and how the images of a series stand to each other."""

from dicomlab.teach.series.explorer import SeriesExplorer, explore_series

__all__ = ["SeriesExplorer", "explore_series"]
