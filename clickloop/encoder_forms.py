"""Finds the exported form of an encoder in the versions that carry it."""

from __future__ import annotations

from foundation.registry.registry import Registry
from serving.encode.form import name_encoder


def find_encoder_form(registry: Registry, weights: str, precision: str) -> bytes | None:
    """Return the packed form of an encoder out of the versions of any collection, None where none carries it."""
    names = [name_encoder(weights, one) for one in (("int8", "fp32") if precision == "auto" else (precision,))]
    for collection in registry.champions():
        for version in registry.list(collection):
            if version.manifest.encoder in names and version.manifest.encoder_form:
                return registry.artifacts.get(version.manifest.encoder_form)
    return None
