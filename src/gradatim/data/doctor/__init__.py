"""The data doctor: what a careful person would notice before any model is fitted.

`examine` adds findings and ties copies of a row together, so that no split separates them;
`inspection` sums a data set up for people and machines.
"""

from gradatim.data.doctor.examination import examine
from gradatim.data.doctor.summary import inspection

__all__ = ["examine", "inspection"]
