"""Finished runs become one HTML page: offline, inert, the same bytes for the same runs."""

from gradatim.report.page import build

__all__ = ["build"]
