"""What tests of figures draw and look for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any
import matplotlib
import matplotlib.image
import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics
from overread import report
from overread.errors import InvalidData, MissingExtra, OutputUnwritable
from overread.evaluation import evaluate
from overread.report.figures.canvas import PALETTE
from overread.report.figures.confusion_matrix import DARK_PERCENT
from support.figures import AWKWARD, BINARY, count_of_colour, drawn, predictions, rows_of


