"""Tables of headers: what is in one (`header_table`), what differs in a series, between two, and over a cohort."""

from dicomlab.tables.header import HeaderTable, header_table
from dicomlab.tables.varying import VaryingTable, varying

__all__ = ["HeaderTable", "VaryingTable", "header_table", "varying"]
