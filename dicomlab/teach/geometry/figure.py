"""A stylised patient: ellipsoids in LPS mm, the origin in the middle of the trunk. No atlas, but left and right differ."""

from __future__ import annotations

from typing import Any

__all__ = ["FIGURE", "HEAD", "figure"]

# name, centre, radii, grey; later ones lie in earlier ones. The skin ones are drawn as outlines, too.
FIGURE: tuple[tuple[str, tuple[float, float, float], tuple[float, float, float], int], ...] = (
    ("skin", (0, 0, -10), (170, 112, 290), 120),
    ("skin", (0, -8, 385), (76, 98, 112), 120),
    ("skin", (0, 12, 275), (58, 58, 60), 120),
    ("skin", (-205, 12, 20), (38, 44, 255), 120),
    ("skin", (205, 12, 20), (38, 44, 255), 120),
    ("skin", (-82, 8, -400), (78, 82, 230), 120),
    ("skin", (82, 8, -400), (78, 82, 230), 120),
    ("skull", (0, -6, 400), (68, 88, 92), 245),
    ("brain", (0, -6, 402), (61, 81, 84), 150),
    ("right lung", (-78, -2, 120), (62, 78, 118), 28),
    ("left lung", (80, -2, 115), (58, 76, 112), 28),
    ("heart", (32, -42, 70), (56, 46, 56), 215),
    ("liver", (-66, -10, -52), (84, 74, 62), 178),
    ("stomach", (62, -38, -62), (44, 40, 46), 92),
    ("spleen", (108, 42, -50), (26, 34, 44), 200),
    ("right kidney", (-62, 58, -128), (27, 25, 50), 205),
    ("left kidney", (64, 58, -116), (27, 25, 50), 205),
    ("pelvis right", (-84, 24, -236), (48, 34, 48), 232),
    ("pelvis left", (84, 24, -236), (48, 34, 48), 232),
    ("spine", (0, 74, 20), (22, 24, 330), 245),
    ("right thigh bone", (-84, 8, -430), (17, 17, 215), 245),
    ("left thigh bone", (84, 8, -430), (17, 17, 215), 245),
)

HEAD = (0.0, -8.0, 385.0)
"""The middle of the head."""

BOX = ((-250.0, -130.0, -330.0), (250.0, 130.0, 500.0))
"""Corners of the box around the patient that is drawn, LPS mm."""


def figure(at: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> dict[str, Any]:
    """Return the figure as JSON, its trunk's middle at a place in the patient."""
    moved = [[x + by for x, by in zip(corner, at, strict=True)] for corner in BOX]
    return {
        "parts": [
            {
                "skin": name == "skin",
                "centre": [x + by for x, by in zip(centre, at, strict=True)],
                "radii": list(radii),
                "grey": grey,
            }
            for name, centre, radii, grey in FIGURE
        ],
        "box": moved,
    }
