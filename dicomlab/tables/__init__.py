"""Tables of headers: what is in one (`header_table`), what differs in a series, between two, and over a cohort."""

from dicomlab.tables.cohort import KeywordTable, keyword_table
from dicomlab.tables.compare import HeaderComparison, compare_headers
from dicomlab.tables.header import HeaderTable, header_table
from dicomlab.tables.variation import VaryingTable, varying

__all__ = [
    "HeaderComparison",
    "HeaderTable",
    "KeywordTable",
    "VaryingTable",
    "compare_headers",
    "header_table",
    "keyword_table",
    "varying",
]
