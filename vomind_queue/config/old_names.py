"""Names that settings had in earlier versions. They are still read, so upgrading breaks nothing."""

from __future__ import annotations

from collections.abc import Mapping

#: Variable of an earlier version to the present one.
VARIABLES: Mapping[str, str] = {
    "IN_DOUBT_HORIZON": "UNKNOWN_OUTCOME_HORIZON",
    "SETTLE_INTERVAL": "RECONCILE_INTERVAL",
    "BREAKER_PROBE_INTERVAL": "CIRCUIT_PROBE_INTERVAL",
}
#: By variable: value of an earlier version to the present one.
VALUES: Mapping[str, Mapping[str, str]] = {"ON_UNKNOWN_OUTCOME": {"settle": "reconcile"}}


def translate(environ: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Return the settings under their present names, and a warning for each old name or value.

    A variable that is set under both names keeps the value of the present one.
    """
    found, warnings = dict(environ), []
    for old, new in VARIABLES.items():
        if old not in found:
            continue
        value = found.pop(old)
        if value.strip() and not found.get(new, "").strip():
            found[new] = value
        warnings.append(f"{old} is deprecated; use {new}")
    for name, values in VALUES.items():
        old = found.get(name, "").strip().lower()
        if old in values:
            found[name] = values[old]
            warnings.append(f"{name}={old} is deprecated; use {name}={values[old]}")
    return found, warnings
