"""Notes each function of ours that runs, in every thread, while it is switched on."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any

PACKAGE = Path(__file__).resolve().parents[2] / "vomind_queue"


class Tracer:
    """Installed first of all: a thread that started before it is not seen.

    Code that a library generates, such as a dataclass's ``__init__``, is in no file of ours
    and is not seen either.
    """

    def __init__(self) -> None:
        #: Thread, depth among functions of ours, module, function.
        self.seen: list[tuple[str, int, str, str]] = []
        self._on = False
        self._threads = threading.local()

    def install(self) -> None:
        """From now on, in this thread and in those to come."""
        threading.setprofile(self._profile)
        sys.setprofile(self._profile)

    def begin(self) -> None:
        """Forget what was seen and look."""
        self.seen = []
        self._threads = threading.local()
        self._on = True

    def end(self) -> list[tuple[str, int, str, str]]:
        """Look no more; what was seen."""
        self._on = False
        return self.seen

    def _profile(self, frame: FrameType, event: str, _: Any) -> None:
        if not self._on or event not in ("call", "return"):
            return
        if not _is_ours(frame):
            return
        frames: list[FrameType] = self._threads.__dict__.setdefault("frames", [])
        if event == "call":
            if not frames:
                # A loop of ours that ran before: it shows where this comes from.
                frames += _above(frame)
                for depth, each in enumerate(frames):
                    self._note(depth, each)
            self._note(len(frames), frame)
            frames.append(frame)
        elif frames and frames[-1] is frame:
            frames.pop()

    def _note(self, depth: int, frame: FrameType) -> None:
        module, function = frame.f_globals["__name__"], frame.f_code.co_qualname
        self.seen.append((threading.current_thread().name, depth, module, function))


def _above(frame: FrameType) -> list[FrameType]:
    """Return the frames of ours that led to this one, the outermost first."""
    found = []
    while (caller := frame.f_back) is not None:
        if _is_ours(caller):
            found.append(caller)
        frame = caller
    return found[::-1]


def _is_ours(frame: FrameType) -> bool:
    return frame.f_code.co_filename.startswith(f"{PACKAGE}/")
