"""A page taken apart."""

from __future__ import annotations

import base64
import math
import re
import sys
from pathlib import Path
import pytest
from PIL import Image
from overread.errors import InvalidData, MissingExtra, MissingPath, OutputUnwritable
from overread.evaluation import Estimate, Interval, Metric
from overread.report import (
    FigureItem,
    ReportContext,
    Section,
    Table,
    confusion_matrix,
    metrics_table,
    per_class_table,
    write_report,
)
from support.html_page import Page


