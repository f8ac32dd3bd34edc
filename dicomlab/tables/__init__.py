"""Tables of headers: what is in one (`header_table`), what differs in a series, between two, and over a cohort."""

from dicomlab.tables.header import HeaderTable, header_table

__all__ = ["HeaderTable", "header_table"]
