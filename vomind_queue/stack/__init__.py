"""The whole product on one machine: its processes under honcho, two servers beneath them."""
