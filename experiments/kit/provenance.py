"""Where numbers come from: what every summary.json says, so that anybody can have them again."""

import dataclasses
import os
import platform
import shlex
from importlib.metadata import version

import jax

PACKAGES = ("jaxlr", "jax", "jaxlib", "numpy", "scikit-learn")


def provenance(settings) -> dict:
    """Device, settings, command line and versions."""
    return {
        "device": device(),
        "jax": jax.__version__,
        "settings": dataclasses.asdict(settings),
        "command": line(settings),
        "versions": {
            "python": platform.python_version(),
            **{package: version(package) for package in PACKAGES},
        },
    }


def line(settings) -> str:
    """The command that asks for these settings: every option that is not at its default."""
    words = ["python", "-m", settings.NAME]
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        if value == field.default:
            continue
        option = field.name.replace("_", "-")
        if field.type is bool:
            words.append(f"--{option}" if value else f"--no-{option}")
        else:
            values = value if isinstance(value, tuple) else (value,)
            words += [f"--{option}", *map(str, values)]
    return shlex.join(words)


def device() -> str:
    """The device that JAX runs on, for tables."""
    first = jax.devices()[0]
    return f"{os.cpu_count()} CPU cores" if first.platform == "cpu" else first.device_kind
