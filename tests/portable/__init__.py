"""The suite as if this machine were no Linux: ``pytest --portable``, ``make portable``.

Every process that a test starts loads `site/sitecustomize.py`. It takes away what Python has on
Linux alone: the names in `linux_only.json`, ``/proc``, abstract sockets, calls into the C library.
What runs without them runs on macOS as far as Python code decides it. Binaries stay Linux's.
"""
