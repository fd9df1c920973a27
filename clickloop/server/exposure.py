"""What must hold before a service listens: nobody else reaches it without a key, and there is a key to reach it by."""

from __future__ import annotations

from collections.abc import Callable

from foundation.access.actors import command_line_actor
from foundation.access.keys import Keys
from foundation.clock import SystemClock
from foundation.contracts import DEFAULT_COLLECTION
from foundation.database import schema
from foundation.database.engine import make_engine
from foundation.errors import Exposed
from foundation.settings import Settings
from foundation.web.cross_site import is_loopback

FIRST_KEY = "first"


def prepare_to_listen(settings: Settings, tell: Callable[[str], None]) -> None:
    """Make the first key where keys are required and there is none, and tell it, this once.

    Raises:
        Exposed: The service would listen beyond this machine without keys.
    """
    if settings.require_keys:
        _make_first_key(settings, tell)
    elif not is_loopback(settings.host):
        raise Exposed(
            f"at {settings.host or 'every address'} others reach the service, and without keys they could delete "
            "documents and move versions. Set CLICKLOOP_REQUIRE_KEYS=true, and the first start prints a key; or "
            "listen on this machine alone, with CLICKLOOP_HOST=127.0.0.1"
        )


def _make_first_key(settings: Settings, tell: Callable[[str], None]) -> None:
    engine = make_engine(settings.resolved_database_url())
    try:
        schema.prepare(engine, settings.migrate)
        token = Keys(engine, SystemClock()).add_first(FIRST_KEY, DEFAULT_COLLECTION, command_line_actor())
    finally:
        engine.dispose()
    if token is None:
        return
    tell(
        f"There was no key yet, so one was made, which is shown this once: {token}\n"
        f"It is named {FIRST_KEY} and opens everything of the collection {DEFAULT_COLLECTION}. Make others by "
        f"`clickloop keys add`, and take it away by `clickloop keys remove {FIRST_KEY}`."
    )
