"""``python -m vomind_queue`` is ``vomind-queue``."""

from vomind_queue.cli.main import main

if __name__ == "__main__":
    main()
