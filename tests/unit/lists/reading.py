"""Lists as tests write them: invented people, numbers reserved for fiction."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import escape

from vomind_queue.lists.models import Answers, ReadList
from vomind_queue.lists.preview import Judged, Preview, preview
from vomind_queue.lists.reading import read_list


def read(text: str | bytes, filename: str = "people.csv", **said: Any) -> ReadList:
    """What is in a file; ``said``: the fields of Answers."""
    raw = text if isinstance(text, bytes) else text.encode()
    return read_list(raw, filename, Answers(**said))


def seen(text: str | bytes, filename: str = "people.csv", **said: Any) -> Preview:
    """What would become of its rows, as the reader alone can tell."""
    return preview(read(text, filename, **said), Judged(), {}, Answers(**said))


def numbers(found: ReadList | Preview) -> list[str | None]:
    """As they will ring."""
    if isinstance(found, Preview):
        return [row.row.to for row in found.rows]
    return [row.to for row in found.rows]


def asked(found: ReadList | Preview) -> list[str]:
    """The ids of the open questions."""
    return [question.id for question in found.questions]


def workbook(**sheets: Sequence[Sequence[str | float]]) -> bytes:
    """An XLSX file as small as one can be."""
    content = "http://schemas.openxmlformats.org/package/2006"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    names = list(sheets)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("[Content_Types].xml", f'<Types xmlns="{content}/content-types"/>')
        archive.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{content}/relationships"><Relationship Id="r" '
            f'Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        )
        listed = "".join(
            f'<sheet name="{name}" sheetId="{at}" r:id="r{at}"/>'
            for at, name in enumerate(names, 1)
        )
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>{listed}</sheets></workbook>',
        )
        related = "".join(
            f'<Relationship Id="r{at}" Type="{office}/worksheet" Target="worksheets/s{at}.xml"/>'
            for at in range(1, len(names) + 1)
        )
        archive.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{content}/relationships">{related}</Relationships>',
        )
        for at, rows in enumerate(sheets.values(), 1):
            body = "".join(f"<row>{''.join(map(_cell, row))}</row>" for row in rows)
            archive.writestr(
                f"xl/worksheets/s{at}.xml",
                f'<worksheet xmlns="{main}"><sheetData>{body}</sheetData></worksheet>',
            )
    return file.getvalue()


def _cell(value: str | float) -> str:
    if isinstance(value, float):
        return f"<c><v>{value!r}</v></c>"
    return f'<c t="inlineStr"><is><t>{escape(value)}</t></is></c>'
