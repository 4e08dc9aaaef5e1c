"""`webhooks` at the command line."""

from __future__ import annotations

from tests.acceptance.cli.typist import Typist
from tests.acceptance.conftest import Api

ADDRESS = "http://127.0.0.1:9/calls"


def test_a_webhook_is_added_shown_rotated_and_removed(typed: Typist, api: Api) -> None:
    """Its secret is printed when it is made, and nowhere else; a wrong address is refused."""
    refused = typed("webhooks", "add", "http://10.0.0.1/")
    assert (refused.status, "Must be" in refused.err) == (2, True)
    added = typed("webhooks", "add", ADDRESS, "--type", "call.*", "--json").document["webhook"]
    webhook_id, secret = added["id"], added["secret"]
    assert added["types"] == ["call.*"]
    shown = typed("webhooks", "show", webhook_id)
    assert shown.out.startswith(f"{webhook_id}: {ADDRESS}\n  state       active\n")
    assert secret not in shown.out + typed("webhooks", "list").out
    rotated = typed("webhooks", "rotate", webhook_id)
    assert rotated.out.startswith(f"{webhook_id}: secret replaced.\n  secret      whsec_")
    assert secret not in rotated.out
    assert typed("webhooks", "remove", webhook_id).out == f"{webhook_id}: removed.\n"
    assert typed("webhooks", "show", webhook_id).status == 3
    assert typed("webhooks", "list").out == "No webhooks.\n"


def test_a_webhook_is_tested_replayed_and_enabled(typed: Typist, api: Api) -> None:
    """What no notifier has delivered waits."""
    webhook_id = typed("webhooks", "add", ADDRESS, "--json").document["webhook"]["id"]
    assert typed("webhooks", "test", webhook_id).status == 0
    assert typed("webhooks", "deliveries", webhook_id).out == "No attempts yet.\n"
    replayed = typed("webhooks", "replay", webhook_id, "--since", "2026-11-24T09:00:00Z")
    assert replayed.out.startswith("Events are delivered again, from ")
    assert typed("webhooks", "replay", webhook_id).status == 2
    assert typed("webhooks", "enable", webhook_id).out == f"{webhook_id}: active.\n"
