"""The kinds of series, read by dicomlab and by other readers, and judged against the phantom's truth."""
