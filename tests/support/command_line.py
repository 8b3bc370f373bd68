"""The command line as a user meets it."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
import pytest
from overread.study.train import Study
from support.command_line import overread, sentence


