"""Loaded by Python at its start: takes away what only Linux has."""

import importlib
import json
import os
import sys
from pathlib import Path

#: Functions of the C library, as ctypes would find them.
_FUNCTIONS = {
    *("prctl", "syscall", "gettid", "epoll_create1", "eventfd", "inotify_init1", "memfd_create"),
    *("pidfd_open", "setns", "signalfd", "timerfd_create", "unshare"),
    *("sched_getaffinity", "sched_setaffinity"),
}
_PLACES = ("/proc", "/sys")


def _without_names() -> None:
    names = Path(__file__).parent.parent / "linux_only.json"
    for module, only in json.loads(names.read_text("utf-8")).items():
        found = importlib.import_module(module)
        for name in only:
            if hasattr(found, name):
                delattr(found, name)


def _audit(event: str, arguments: tuple) -> None:
    if event in {"open", "os.listdir", "os.scandir"}:
        path = arguments[0]
        if isinstance(path, str) and path.startswith(_PLACES):
            raise FileNotFoundError(2, "No such file or directory", path)
    elif event in {"ctypes.dlsym", "ctypes.dlsym/handle"}:
        if arguments[1] in _FUNCTIONS:
            raise AttributeError(f"symbol not found: {arguments[1]}")
    elif event in {"socket.bind", "socket.connect"}:
        address = arguments[1]
        if isinstance(address, (str, bytes)) and address[:1] in {"\0", b"\0"}:
            raise FileNotFoundError(2, "No such file or directory")


# Its name has the platform's in it, and zoneinfo asks for it.
_of_build = f"_sysconfigdata_{sys.abiflags}_{sys.platform}_{sys.implementation._multiarch}"
os.environ.setdefault("_PYTHON_SYSCONFIGDATA_NAME", _of_build)
_without_names()
sys.platform = "darwin"
sys.addaudithook(_audit)
