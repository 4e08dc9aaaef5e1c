"""The rows that were refused, as they stand in the file: to be mended and sent again."""

from __future__ import annotations

from vomind_queue.lists.cells import readable
from vomind_queue.lists.models import ReadList
from vomind_queue.lists.preview import PreviewedRow


def own_cells(found: ReadList, row: PreviewedRow) -> list[str]:
    """Return the cells of a row, all of them; of one that cannot be read, the line itself."""
    record = found.records[row.row.line]
    cells = record.cells or [record.raw]
    return [readable("" if cell is None else str(cell)) for cell in cells]
