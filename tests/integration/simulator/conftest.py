"""Simulators for the tests of this directory."""

from __future__ import annotations

from tests.simulator import _simulator_process, own_simulator, simulator

__all__ = ["_simulator_process", "own_simulator", "simulator"]
