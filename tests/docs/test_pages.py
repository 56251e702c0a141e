"""The pages for people: their examples run, what they quote from a file is in it, and their links lead somewhere."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
PAGES = [CHECKOUT / "README.md", CHECKOUT / "CHANGELOG.md", *sorted((CHECKOUT / "docs").glob("*.md"))]

# Fewer examples than this on a page mean that the pattern that finds them broke.
LEAST_EXAMPLES = {"README.md": 4, "architecture.md": 30, "arithmetic.md": 40, "engine.md": 30, "synthesis.md": 12,
                  "benches.md": 20, "onnx.md": 12, "boards.md": 6, "hls.md": 6, "devices.md": 8, "training.md": 18,
                  "workloads.md": 32}


@pytest.fixture(params=PAGES, ids=lambda page: page.name)
def page(request) -> Path:
    return request.param


def test_every_example_prints_what_the_page_says(page):
    results = doctest.testfile(str(page), module_relative=False, encoding="utf-8")
    assert results.attempted >= LEAST_EXAMPLES.get(page.name, 0)
    assert results.failed == 0


def test_every_quotation_is_in_its_file(page):
    text = page.read_text(encoding="utf-8")
    # "From `src/...`:" and a block of code: the block stands in that file as it is.
    quotations = re.findall(r"From\s`([^`]+)`:\n\n```python\n(.*?)```", text, re.DOTALL)
    assert len(quotations) == len(re.findall(r"\bFrom\s`", text))
    for file, quotation in quotations:
        assert quotation in (CHECKOUT / file).read_text(encoding="utf-8"), file


def test_every_link_leads_somewhere(page):
    prose = re.sub(r"^```.*?^```|^    .*?$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)]+)\)", prose):
        if "://" in target:
            continue
        file, _, section = target.partition("#")
        linked = page.parent / file if file else page
        assert linked.exists(), target
        if section:
            titles = re.findall(r"^#+ (.+)$", linked.read_text(encoding="utf-8"), re.MULTILINE)
            assert section in {title.lower().replace(" ", "-") for title in titles}, target
