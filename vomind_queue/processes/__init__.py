"""The programs that are started: web, worker, shipper, notifier, Flower."""
