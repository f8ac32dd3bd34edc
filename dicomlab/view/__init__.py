"""Pictures of volumes: resolved without a screen, rendered in numpy, shown by matplotlib or a browser."""
