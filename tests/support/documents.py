"""Bundles and assessments for tests of documents."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from typer.testing import CliRunner
from overread.bundle import GRAPH, WEIGHTS, Bundle, Member
from overread.cli import app
from overread.decision import Calibration
from overread.errors import InvalidBundle
from overread.evaluation import LABELS
from overread.report.documents.markdown import escaped, shown, table
from overread.report.documents.model_card import RATES, model_card
from support.documents import SECRET, THREE, TWO, assessed, bundle_of, facts_of, predictions, tables


