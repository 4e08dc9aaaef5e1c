"""The whole product on one machine: its processes under one supervisor."""
