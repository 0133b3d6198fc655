"""The sets that scikit-learn carries: nothing is downloaded."""

import pyarrow as pa
from sklearn import datasets

BUILTIN = ("breast_cancer", "iris", "wine", "diabetes", "digits")


def read(name: str) -> pa.Table:
    """The set's features, then a column "target" with class names in scikit-learn's order."""
    # The raw diabetes columns: the default ones are scaled with every row's statistics.
    unscaled = {"scaled": False} if name == "diabetes" else {}
    bunch = getattr(datasets, f"load_{name}")(**unscaled)
    columns = [pa.array(column) for column in bunch.data.T]
    names = [str(feature) for feature in bunch.feature_names]
    return pa.table([*columns, _target(bunch)], names=[*names, "target"])


def _target(bunch) -> pa.Array:
    if "target_names" not in bunch:
        return pa.array(bunch.target)
    names = [str(name) for name in bunch.target_names]
    codes = pa.array(bunch.target.astype("int32"))
    return pa.DictionaryArray.from_arrays(codes, names, ordered=True)
