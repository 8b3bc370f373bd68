"""Folders of small images made in code."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
import pytest
from hypothesis import settings
from overread.recipe import Recipe
from overread.study.data import read_manifest
from overread.study.train import Study, train
from support.image_files import write_images


