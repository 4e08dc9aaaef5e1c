"""``python -m vomind_queue.cli`` is ``vomind-queue``."""

from vomind_queue.cli.main import main

if __name__ == "__main__":
    main()
