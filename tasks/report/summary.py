"""The same results as Markdown, for the page a CI service shows for a job.

GitHub names the file in $GITHUB_STEP_SUMMARY and shows what is appended to it:
https://docs.github.com/actions/reference/workflow-commands-for-github-actions#adding-a-job-summary
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from ..engine.results import Result, Results, Verdict
from .results import conclusion, images_table, moved_table, tail

VARIABLE = "GITHUB_STEP_SUMMARY"


def append_summary(results: Results, environ: Mapping[str, str]) -> None:
    """Appends the results to the file that the environment names; does nothing where it names none."""
    append(lambda: markdown(results), environ)


def append(text: Callable[[], str], environ: Mapping[str, str]) -> None:
    """Appends Markdown to the file that the environment names; does nothing where it names none.

    One that cannot be written is said: what was built, or failed, matters more than its summary.
    """
    if path := environ.get(VARIABLE):
        try:
            with Path(path).open("a", encoding="utf-8") as file:
                file.write(text())
        except OSError as error:
            why = error.strerror or error
            print(f"warning: no summary was written: {path} (${VARIABLE}): {why}", file=sys.stderr)


def markdown(results: Results) -> str:
    """Returns a heading that sums up, the tables, and each failure with the end of its log."""
    # Whoever reads a job's page asks first whether anything was published.
    kept = "" if results.moved else "Not pushed. "
    parts = [f"### Argosy: {kept}{conclusion(results)}\n"]
    if results.images:
        parts.append(images_table(results).markdown())
    if results.moved:
        parts.append(moved_table(results).markdown())
    parts += [_failure(result) for result in results.images if result.verdict is Verdict.FAILED]
    return "\n".join(parts) + "\n"


def _failure(result: Result) -> str:
    where = f" at `{result.where}`" if result.where else ""
    return f"**{result.image}** failed{where}\n\n{fenced((result.reason, *tail(result)))}"


def fenced(lines: Iterable[str]) -> str:
    """Returns lines as they are, in a fence that is longer than any run of backticks inside it."""
    text = "\n".join(lines).strip("\n")
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{fence}\n{text}\n{fence}\n"
