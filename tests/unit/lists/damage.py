"""Files as programs write them, and the harm that is done to files."""

from __future__ import annotations

import io
import random
import zipfile
from collections.abc import Mapping
from contextlib import suppress

from tests.unit.lists.reading import workbook

#: One file of each kind.
KINDS: Mapping[str, str] = {
    "scientific": "Phone,Message\n4.47946E+11,Hello\n+14155550101,Hello\n",
    "excel": "sep=;\r\nTelefon;Nachricht\r\n0171/3920013;Ihr Paket\r\n+49 30 1234567;Grüße\r\n",
    "float": "phone,message\n14155550105.0,Hello\n,Hello\n4155550106.0,Hello\n",
    "extension": "phone,message\n+1 415-555-0106 ext. 22,Hello\n(415) 555-0107 x9,Hello\n",
    "contacts": "Name,Phone 1 - Value,Phone 2 - Value\nAnn,+1 415 555 0107 ::: +1 415 555 0108,\n",
    "meta": "id\tfull_name\tphone_number\nl:1\tAnn\tp:+14155550109\nl:2\tBen\tp:+14155550110\n",
    "old-mac": "to,message\r+14155550113,Hello\r415,Hello\r+14155550114,Hello\r",
    "quoted": 'to,message\n+14155550136,"two\nlines, ""all"" of it"\n+14155550137,Hello\n',
    "no-header": "+14155550120,Hello\n+14155550121,Hello\n+14155550122,Hello\n",
    "dates": "to,scheduleAt,message\n+14155550121,46368.4167,Hi\n+14155550122,11/12/2026,Hi\n",
    "doubles": "Phone,Phone,Message\n+442079460141,02079460141,Hello\n+442079460142,,Hello\n",
    "dialer": "phone_code,phone_number,message\n1,4155550129,Hello\n44,2079460129,Hello\n",
    "formula": 'to,message\n"=""+14155550126""",Hello\n\'+14155550127,Hello\n#NAME?,Hello\n',
    "merge": "Phone,name,Message\n+14155550123,Ann,Hello {{name}}\n+14155550124,,Hi {{x}}\n",
    "unseen": "Phone,Message\n\u202a+1 415\u2011555\u20110110\u202c,a\n+1\u00a04155550112,b\n",
    "several": 'Phone,Message\n+1 415 555 0135 / +1 415 555 0136,a\n"030 231251, 030 231252",b\n',
    "objects": '{"to": "+14155550127", "text": "Hello"}\n{"to": NaN}\n{"to": 14155550128}\n',
}
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "cp1251")
#: What a hand, a keyboard or a program leaves in a file.
_LEFT = (
    *(
        "\0",
        '"',
        '""',
        "\r",
        "\n",
        ",",
        ";",
        "\t",
        "|",
        "/",
        " ",
        ".",
        "...",
        "…",
        "-",
        "+",
        "E+11",
    ),
    *(
        "(0)",
        "00",
        "0",
        "1",
        "x12",
        " ext. 4",
        ".0",
        ",5",
        "'",
        "=",
        '="',
        "#NAME?",
        "{{",
        "}}",
        "[",
    ),
    *("2026-12-11", "46368.4167", "1e999", "NaN", "\u202e", "\u200f", "\u200b", "\ufeff", "\u0660"),
    *("\u00b2", "\uff17", "\x07", "\x1f", "\x85", "Fax: ", "Tel: ", "Ref: ", " or ", " ::: ", "½"),
)


def damaged(kind: str, chance: random.Random) -> bytes:
    """A file of a kind with damage."""
    if kind == "workbook":
        return _workbook(chance)
    text = KINDS[kind]
    if chance.random() < 0.1:
        # Two files in one, as `cat` makes them.
        text += KINDS[chance.choice(list(KINDS))]
    raw = text.encode(chance.choice(ENCODINGS), "replace")
    if chance.random() < 0.1:
        raw += text.encode(chance.choice(ENCODINGS), "replace")
    return mutated(raw, chance)


def mutated(raw: bytes, chance: random.Random) -> bytes:
    """The bytes with a few of them changed, taken out, doubled or put elsewhere."""
    found = bytearray(raw)
    for _ in range(chance.randint(1, 4)):
        at, size = chance.randrange(len(found)), chance.randint(1, 12)
        kind = chance.randrange(8)
        if kind == 0:
            found[at] = chance.randrange(256)
        elif kind == 1:
            del found[at : at + size]
        elif kind == 2:
            found[at:at] = found[at : at + size]
        elif kind == 3:
            other = chance.randrange(len(found))
            found[at:at] = found[other : other + size]
        elif kind == 4 and chance.random() < 0.3:
            del found[at:]
        elif kind == 5 and chance.random() < 0.02:
            found[at:at] = chance.choice([b"9", b" ", b'"', b"x", b"(("]) * 100_000
        else:
            found[at:at] = chance.choice(_LEFT).encode(chance.choice(ENCODINGS[:3]))
        if not found:
            found = bytearray(b"\0")
    return bytes(found)


def _workbook(chance: random.Random) -> bytes:
    """A workbook of which one part, or the archive itself, is damaged."""
    phones: list[str | float] = [
        "+14155550101",
        4155550102.0,
        447946000000.0,
        46368.4167,
        "030/2312510",
    ]
    rows: list[list[str | float]] = [["Phone", "Message"], *([phone, "Hello"] for phone in phones)]
    raw = workbook(People=rows, **({"More": rows} if chance.random() < 0.2 else {}))
    if chance.random() < 0.3:
        return raw[:8] + mutated(raw[8:], chance)
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    name = chance.choice(list(parts))
    parts[name] = mutated(parts[name], chance)
    if chance.random() < 0.05:
        # Small in the archive, and not when it is unpacked.
        parts[name] = parts[name].replace(b"Hello", b"Hello" * 5_000_000)
    return _zipped(parts)


def _zipped(parts: Mapping[str, bytes]) -> bytes:
    file = io.BytesIO()
    with suppress(ValueError), zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return file.getvalue()
