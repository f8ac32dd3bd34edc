"""The window explorer: which values become which grey, and what is lost on the way."""

from dicomlab.teach.window.explorer import WindowExplorer, explore_window
from dicomlab.teach.window.loss import Loss, loss_of

__all__ = ["Loss", "WindowExplorer", "explore_window", "loss_of"]
