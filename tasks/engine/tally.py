"""What has become of a plan's images while they are built, whatever builds them; in the end none is left unsaid."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from ..contents import state
from ..errors import ArgosyError, StoppedError
from ..planning.bakefile import closure
from ..planning.plan import Plan, PlannedImage
from .results import Result, Results, Verdict


class Unfinished(Exception):  # noqa: N818 - what went wrong is `error`; this carries what was done until then
    """The build ended before its end, through no image's fault; `results` says what was done until then."""

    def __init__(self, results: Results, error: ArgosyError) -> None:
        super().__init__(str(error))
        self.results = results
        self.error = error


@dataclass(slots=True)
class Tally:
    """What is known so far, by image; `error` is what ended the build early, if anything did."""

    plan: Plan
    log_file: Path
    done: dict[str, Result] = field(default_factory=dict)
    error: ArgosyError | None = None
    _started: float = field(default_factory=time.monotonic)

    def finish(self, image: PlannedImage, verdict: Verdict, **known: Any) -> None:
        """Writes down how it ended for one image."""
        references = tuple(str(reference) for reference in image.references)
        self.done[image.name] = Result(
            image=image.name, verdict=verdict, platforms=image.platforms, references=references, **known
        )

    def failed(self) -> list[str]:
        """Returns the images that did not build."""
        return [name for name, result in self.done.items() if result.verdict is Verdict.FAILED]

    def stands_on_failed(self, name: str) -> str:
        """Returns the failed image that one stands on, or ""."""
        below = {image.name for image in closure(self.plan, [name])} - {name}
        return next((other for other in self.failed() if other in below), "")

    def log(self) -> TextIO:
        """Opens the log."""
        return self.log_file.open("w", encoding="utf-8", buffering=1)

    @contextlib.contextmanager
    def under_way(self) -> Iterator[None]:
        """The time of the build: what ends it early (Ctrl-C, the engine, a full disk) is kept for its results."""
        try:
            yield
        except KeyboardInterrupt:
            self.error = StoppedError("stopped before the end of the build; no name was moved")
        except ArgosyError as raised:
            self.error = raised
        except OSError as raised:
            self.error = state.unwritable(raised, self.log_file)

    def results(self) -> Results:
        """Returns what came of the plan's images, in its order. Raises Unfinished where the build ended early."""
        for image in self.plan.selected:
            if image.name not in self.done:
                self._leave(image)
        results = Results(
            images=tuple(self.done[image.name] for image in self.plan.images if image.name in self.done),
            seconds=time.monotonic() - self._started,
            log_file=self.log_file,
        )
        if self.error:
            raise Unfinished(results, self.error)
        return results

    def _leave(self, image: PlannedImage) -> None:
        """Says why an image was not built."""
        if self.error:
            self.finish(image, Verdict.STOPPED)
        elif base := self.stands_on_failed(image.name):
            self.finish(image, Verdict.SKIPPED, reason=f"stands on {base}, which failed")
        else:
            self.finish(image, Verdict.SKIPPED, reason=f"stopped when {', '.join(self.failed())} failed")
