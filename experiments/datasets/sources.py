"""From a name or a path to raw columns: the content decides the format, not the name."""

import bz2
import gzip
import io
import lzma
import zlib
from pathlib import Path

from experiments.datasets import builtin
from experiments.datasets.errors import DataError, did_you_mean, shown, unreadable
from experiments.datasets.formats import delimited, embeddings, idx, libsvm, npz, parquet
from experiments.datasets.table import AS_FOUND, Columns, Reading

_DECOMPRESS = {
    b"\x1f\x8b": gzip.decompress,
    b"BZh": bz2.decompress,
    b"\xfd7zXZ\x00": lzma.decompress,
}
_BROKEN = (EOFError, OSError, ValueError, zlib.error, lzma.LZMAError)
_CONTROL = bytes([*range(9), *range(14, 32)])  # no text holds these, in any 8-bit encoding


def read(
    file: str,
    *,
    target: str | int | None = None,
    weights: str | int | None = None,
    labels_file: str | None = None,
    reading: Reading = AS_FOUND,
    labelled: bool = True,
    one_column: bool = False,
) -> Columns:
    """What is built in, or in a file.

    Args:
      file: name or path.
      target: may name an NPZ's array.
      weights: so may these.
      labels_file: as in `load`.
      reading: how texts are to be read.
      labelled: whether images without labels are a mistake.
      one_column: one column will do.
    """
    if file in builtin.BUILTIN:
        return Columns(builtin.read(file))
    path = existing(file)
    path = idx.images_in(path) if path.is_dir() else path
    data = contents(path)
    if idx.is_idx(data):
        images = idx.images(data, path)
        if not labelled:
            return idx.columns(images, {})
        labels = existing(str(idx.labels_path(path, labels_file)))
        return idx.pair(images, path, idx.array(contents(labels), labels), labels)
    if labels_file is not None:
        raise DataError(f"--labels-file goes with IDX images, and {shown(file)} is no IDX file")
    if data.startswith(b"PAR1"):
        return parquet.read(io.BytesIO(data), path, reading, one_column=one_column)
    if data.startswith(b"PK"):
        return npz.read(data, path, target, weights)
    text = as_utf8(data, path)
    if libsvm.is_libsvm(text, path):
        return libsvm.read(text, path)
    return delimited.read(text, path, reading, one_column=one_column)


def held(file: str, reading: Reading) -> embeddings.Held | None:
    """The embeddings in a file; None where it is a table, or a built-in set."""
    found = None if file in builtin.BUILTIN else embeddings.read(existing(file), reading)
    return found and found._replace(file=file)


def existing(file: str) -> Path:
    """The path, which must exist: what is neither there nor built in is a misspelt name."""
    path = Path(file).expanduser()
    if file and path.exists():
        return path
    if path.parent.is_dir() and (path.suffix or path.parent != Path()):
        near = did_you_mean(path.name, sorted(p.name for p in path.parent.iterdir()))
        raise DataError(f"no file {shown(file)}{near}; give the path of one that exists")
    raise DataError(
        f"no data set or file {shown(file)}{did_you_mean(file, builtin.BUILTIN)};"
        f" built in are {', '.join(builtin.BUILTIN)}; anything else is the path of a file"
    )


def contents(path: Path) -> bytes:
    """The bytes of the file, decompressed where it is gzip, bzip2 or xz."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise unreadable(path, error) from error
    for magic, decompress in _DECOMPRESS.items():
        if data.startswith(magic):
            try:
                data = decompress(data)
            except _BROKEN as error:
                kind = decompress.__module__.removeprefix("_")
                fault = f"{shown(str(path))} is a broken or truncated {kind} file"
                raise DataError(fault, "copy or download it again") from error
    if not data.strip():
        raise DataError(f"{shown(str(path))} is empty; give a file with rows of data")
    return data


def as_utf8(data: bytes, path: Path) -> bytes:
    """The text in UTF-8 without a byte-order mark; what is not UTF-8 is read as Latin-1."""
    if len(data.translate(None, _CONTROL)) < len(data):
        raise DataError(
            f"{shown(str(path))} is binary data of no known kind; give CSV, Parquet, NPZ, LIBSVM"
            " or IDX (texts in UTF-8, also as .gz, .bz2 or .xz)"
        )
    data = data.removeprefix(b"\xef\xbb\xbf")
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1").encode("utf-8")
    return data
