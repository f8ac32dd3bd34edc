"""The geometry explorer: where slices lie in the patient, and the affine that says so."""

from dicomlab.teach.geometry.explorer import GeometryExplorer, explore_geometry

__all__ = ["GeometryExplorer", "explore_geometry"]
