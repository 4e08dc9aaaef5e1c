"""`dnc` and `refusal`: the wishes of people at the command line."""

from __future__ import annotations

from pathlib import Path

from tests.acceptance.cli.typist import Typist
from tests.acceptance.conftest import TO, Api

OTHER = "+1234567891"


def test_a_number_is_put_on_the_list_shown_and_taken_off(typed: Typist, api: Api) -> None:
    """The call that waits for it ends, and a new one is refused in words."""
    job_id = api.schedule(TO)
    added = typed("dnc", "add", TO, "--reason", "She said no.")
    assert added.out == (
        f"{TO}: The number is on the do-not-call list.\n1 call and 0 recurring calls to it ended.\n"
    )
    assert api.job(job_id)["state"] == "failed"
    refused = typed("call", TO)
    assert (refused.status, "do-not-call list" in refused.err) == (2, True)
    shown = typed("dnc", "show", TO)
    assert (shown.status, shown.out.endswith("by API (api): She said no.\n")) == (0, True)
    assert typed("dnc", "show", OTHER).status == 1
    assert typed("dnc", "remove", TO).status == 2
    assert typed("dnc", "remove", TO, "--reason", "By mistake.").status == 0
    assert typed("call", TO).status == 0


def test_a_file_of_numbers_is_imported_and_the_list_printed(
    typed: Typist, api: Api, tmp_path: Path
) -> None:
    """Each wrong line is named, the others are listed; the header is none of them."""
    file = tmp_path / "numbers.csv"
    file.write_text(f"phone,name\n{TO},Ada\n\nnone 1,Bob\n{OTHER},Eve\n")
    done = typed("dnc", "import", str(file), "--source", "registry")
    assert done.status == 1
    assert done.out.startswith("2 numbers added, 0 known before, 1 refused.\nline 4: Must be")
    assert [each["number"] for each in typed("dnc", "list", "--json").document["numbers"]] == [
        OTHER, TO,
    ]  # fmt: skip
    lines = typed("dnc", "list", "--csv").out.splitlines()
    assert lines[0] == "number,listedAt,by,source,reason"
    assert [line.partition(",")[0] for line in lines[1:]] == [OTHER, TO]


def test_a_refusal_is_noted_and_taken_back(typed: Typist) -> None:
    """Once, and at a time that can count."""
    assert (
        typed("refusal", "add", "+33 6 12 34 56 78").out == "+33612345678: The refusal is noted.\n"
    )
    wrong = typed("refusal", "add", "+33612345678", "--at", "2999-01-01T00:00:00Z")
    assert (wrong.status, "at" in wrong.err) == (2, True)
    assert typed("refusal", "remove", "+33612345678").status == 0
    assert typed("refusal", "remove", "+33612345678").status == 3
