"""What every request passes before its route: one list, outermost first.

Each sees the answers of all that stand further inside: so refusals are counted, and pages of allowed origins can read
them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from fastapi import FastAPI
from fastapi.middleware import Middleware

from foundation.access.keys import Keys
from foundation.web.body_reader import BodyReader
from foundation.web.cross_site import SiteGate, Welcome
from foundation.web.key_gate import KeyGate
from foundation.web.openapi import document_edge
from foundation.web.origins import OriginGate
from foundation.web.problems import CrashGuard, Refusals, install_problem_handlers
from foundation.web.request_metrics import RequestMetrics
from foundation.web.routes.paths import PathMap, PathSet


@dataclass(frozen=True, slots=True)
class Edge:
    """What the edge of a service is made of.

    Attributes:
        origins: Origins of web pages that may use the service.
        open_paths: Paths that these pages may use.
        welcome: What is answered by its host, its page and its type; None where that is not looked at.
        keys: Keys that requests need; None where they need none.
        refusals: By path, how a refusal looks there; problem documents elsewhere.
        gates: What lets in so many requests at once; they come last.
    """

    max_body_bytes: int
    origins: Collection[str] = ()
    open_paths: PathSet = field(default_factory=PathSet)
    welcome: Welcome | None = None
    keys: Keys | None = None
    refusals: Refusals = field(default_factory=PathMap)
    gates: Sequence[Middleware] = ()

    def middleware(self) -> list[Middleware]:
        """Return what every request passes, outermost first."""
        return [
            Middleware(RequestMetrics),
            Middleware(OriginGate, origins=self.origins, paths=self.open_paths),
            Middleware(CrashGuard),
            *([Middleware(SiteGate, welcome=self.welcome, refusals=self.refusals)] if self.welcome else ()),
            *([Middleware(KeyGate, keys=self.keys, refusals=self.refusals)] if self.keys else ()),
            Middleware(BodyReader, max_bytes=self.max_body_bytes, refusals=self.refusals),
            *self.gates,
        ]


def install_edge(app: FastAPI, edge: Edge) -> None:
    """Give `app` its middleware, problem documents for every error, and a page that names them."""
    install_problem_handlers(app)
    document_edge(app)
    for one in reversed(edge.middleware()):
        app.add_middleware(one.cls, *one.args, **one.kwargs)
