"""Every documented field and error of the schemas that clickloop is compatible with, each with its outcome."""

from tests.conformance.algolia import ALGOLIA
from tests.conformance.case import Case
from tests.conformance.meilisearch import MEILISEARCH
from tests.conformance.metarank import METARANK
from tests.conformance.ubi import UBI

__all__ = ["CASES", "Case"]

CASES: tuple[Case, ...] = (*UBI, *METARANK, *ALGOLIA, *MEILISEARCH)
