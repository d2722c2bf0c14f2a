"""Prepares a text file for DuckDB: UTF-8, one kind of line end, known delimiter and header."""

import codecs
import csv
import gzip
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from io import TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import IO

from features.contracts import ContractBroken

_CHUNK = 1 << 22
_GZIP, _ZIP, _PARQUET = b"\x1f\x8b", b"PK\x03\x04", b"PAR1"
_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_DELIMITERS = ",;\t|"
_INTRODUCTION = re.compile(r'"?sep=(.)"?', re.IGNORECASE)
_PARTS = re.compile(rb"[,;\t|]")


@dataclass(frozen=True)
class Text:
    """A delimited text file.

    Attributes:
        name: name of the original file.
        path: the text in UTF-8; may be a copy.
        header: the stripped names in its first line.
        encoding: the original encoding.
        introduced: whether a line before the header names the delimiter, as Excel writes it (`sep=;`).
    """

    name: str
    path: Path
    header: tuple[str, ...]
    delimiter: str
    encoding: str
    introduced: bool = False

    @property
    def compression(self) -> str:
        """Compression of the file at `path`, as DuckDB names it."""
        return "gzip" if _is_packed(self.path) else "none"

    def records(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the line number that each non-blank record ends in, and the record; the header is first."""
        with closing(_open(self.path)) as stream:
            lines = TextIOWrapper(stream, encoding="utf-8-sig", newline="")
            reader = csv.reader(lines, delimiter=self.delimiter)
            found = ((reader.line_num, record) for record in reader if record)
            yield from islice(found, int(self.introduced), None)

    def line(self, position: int) -> int:
        """The number of the line that starts at this byte."""
        ends = {b"\n": 0, b"\r": 0}
        with closing(_open(self.path)) as stream:
            while piece := stream.read(min(position, _CHUNK)):
                position -= len(piece)
                ends = {end: count + piece.count(end) for end, count in ends.items()}
        return (ends[b"\n"] or ends[b"\r"]) + 1


def is_parquet(file: Path) -> bool:
    """Whether the file starts with the magic bytes of Parquet."""
    return _begin(file).startswith(_PARQUET)


def prepare(table: str, file: Path, name: str, aside: Path, encoding: str | None, delimiter: str | None) -> Text:
    """Check a text file; copy it to the file `aside` where DuckDB cannot read it as it is.

    Args:
        name: name of the file in errors.
        encoding, delimiter: None to detect: by byte order mark, else UTF-8; by the header.

    Raises `ContractBroken` naming file, line and cause.
    """
    begin = _begin(file)
    if not begin:
        raise ContractBroken(table, "header", "the file has a header", "it is empty", where=f"file {name}")
    if begin.startswith(_ZIP):
        hint = "unpack it, or save the spreadsheet as CSV"
        raise ContractBroken(
            table, "header", "the file is text", "it is a ZIP archive or spreadsheet", f"file {name}", hint
        )
    found = encoding or next((kind for mark, kind in _MARKS.items() if begin.startswith(mark)), "utf-8")
    try:
        path = _in_utf8(table, file, name, aside, found)
    except (EOFError, gzip.BadGzipFile) as error:
        raise ContractBroken(table, "header", "the file is whole", f"gzip: {error}", where=f"file {name}") from error
    first = _first_line(path)
    introduced = _INTRODUCTION.fullmatch(first.strip())
    sign = delimiter or (introduced[1] if introduced else _best(first))
    header = _header(path, sign, skip=int(introduced is not None))
    if not header:
        raise ContractBroken(table, "header", "the file has a header", "all its lines are blank", f"file {name}")
    return Text(name, path, header, sign, found, introduced is not None)


def first_header(begin: bytes) -> list[str]:
    """The header in the first bytes of a text file."""
    marked = next((kind for mark, kind in _MARKS.items() if begin.startswith(mark)), None)
    lines = begin.decode(marked or "utf-8", "replace" if marked else "surrogateescape").splitlines()
    line = next((one for one in lines if one.strip() and not _INTRODUCTION.fullmatch(one.strip())), "")
    if not marked and not line.isprintable():
        line = line.encode("utf-8", "surrogateescape").decode(legacy(begin), "replace")
    return [name.strip() for name in next(csv.reader([line], delimiter=_best(line)), [])]


def _best(line: str) -> str:
    """The delimiter that splits a header into the most names."""
    return max(_DELIMITERS, key=lambda sign: len(next(csv.reader([line], delimiter=sign), [])))


def _begin(file: Path) -> bytes:
    with closing(_open(file)) as stream:
        try:
            return stream.read(8)
        except (EOFError, OSError):
            return _GZIP


def _is_packed(file: Path) -> bool:
    with file.open("rb") as stream:
        return stream.read(2) == _GZIP


def _open(file: Path) -> IO[bytes]:
    return gzip.open(file) if _is_packed(file) else file.open("rb")  # type: ignore[return-value]


def _in_utf8(table: str, file: Path, name: str, aside: Path, encoding: str) -> Path:
    ends, line = set(), 0
    for text in _decoded(table, file, name, encoding):
        if "\0" in text:
            at = line + text[: text.index("\0")].count("\n") + 1
            number = len(_PARTS.split(text[: text.index("\0")].rsplit("\n", 1)[-1].encode()))
            raise _with_nul(table, file, name, at, number)
        line += text.count("\n")
        crlf = text.count("\r\n")
        ends |= {
            end for end, n in (("\r\n", crlf), ("\n", text.count("\n") - crlf), ("\r", text.count("\r") - crlf)) if n
        }
    if len(ends) < 2 and codecs.lookup(encoding).name in ("utf-8", "utf-8-sig", "ascii"):
        return file
    with aside.open("w", encoding="utf-8", newline="") as out:
        for text in _decoded(table, file, name, encoding):
            out.write(text.replace("\r\n", "\n").replace("\r", "\n"))
    return aside


def _decoded(table: str, file: Path, name: str, encoding: str) -> Iterator[str]:
    """Yield the decoded text in chunks that do not split a line end. Raises `ContractBroken` for undecodable bytes."""
    decoder, lines, held = codecs.getincrementaldecoder(encoding)(), 0, ""
    with closing(_open(file)) as stream:
        while True:
            chunk = stream.read(_CHUNK)
            try:
                text = held + decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                raise _undecodable(table, file, name, encoding, lines, error) from error
            held = "\r" if text.endswith("\r") and chunk else ""
            text = text[: len(text) - len(held)]
            lines += text.count("\n")
            yield text
            if not chunk:
                return


def _undecodable(
    table: str, file: Path, name: str, encoding: str, lines: int, error: UnicodeDecodeError
) -> ContractBroken:
    """The error for an undecodable byte, with its line and column."""
    before, rest = error.object[: error.start], error.object[error.start :]
    line = lines + before.count(b"\n") + 1
    begun = _PARTS.split(before.rsplit(b"\n", 1)[-1])
    guess = legacy(error.object)
    value = (begun[-1] + _PARTS.split(rest.split(b"\n", 1)[0])[0]).decode(guess, "replace")
    return ContractBroken(
        table,
        _column(file, len(begun)),
        f"the file is in {encoding}",
        f"byte 0x{error.object[error.start]:02x} is not; in {guess} the value is '{value.strip()[:60]}'",
        where=f"file {name}, line {line}",
        mend={"encoding": guess},
    )


def legacy(raw: bytes) -> str:
    """The likely encoding of text that is not UTF-8: Windows-1252 where bytes have no meaning in Latin-1."""
    return "cp1252" if re.search(rb"[\x80\x82-\x8c\x8e\x91-\x9c\x9e\x9f]", raw) else "latin-1"


def _column(file: Path, number: int) -> str:
    """The header of the column with this index, in a file that cannot be decoded."""
    with closing(_open(file)) as stream:
        line = stream.read(_CHUNK).split(b"\n", 1)[0]
    names = _PARTS.split(line)
    return (
        names[number - 1].decode("utf-8-sig", "replace").strip(' \r"') if number <= len(names) else f"number {number}"
    )


def _with_nul(table: str, file: Path, name: str, line: int, number: int) -> ContractBroken:
    with closing(_open(file)) as stream:
        begin = stream.read(512)
    column = _column(file, number)
    even, odd = begin[0::2].count(0), begin[1::2].count(0)
    where = f"file {name}, line {line}"
    if max(even, odd) * 3 > len(begin):
        mend, cause = (
            {"encoding": f"utf-16-{'le' if odd > even else 'be'}"},
            "it looks like UTF-16 without a byte order mark",
        )
        return ContractBroken(table, "header", "the file is in UTF-8", cause, where, mend=mend)
    hint = "write the file again without them"
    return ContractBroken(table, column, "the file is text", "it contains NUL bytes", where, hint)


def _first_line(path: Path) -> str:
    with closing(_open(path)) as stream:
        lines = TextIOWrapper(stream, encoding="utf-8-sig")
        return next((line for line in lines if line.strip()), "")


def _header(path: Path, delimiter: str, skip: int) -> tuple[str, ...]:
    with closing(_open(path)) as stream:
        lines = TextIOWrapper(stream, encoding="utf-8-sig", newline="")
        records = (record for record in csv.reader(lines, delimiter=delimiter) if record)
        return tuple(name.strip() for name in next(islice(records, skip, None), []))
