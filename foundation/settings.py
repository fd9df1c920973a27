"""All settings, read once from the environment (`CLICKLOOP_...`) or a `.env` file."""

from __future__ import annotations

import os
from collections.abc import Iterator

from pydantic import ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from foundation import sections
from foundation.sections import RENAMED, variable


class Settings(
    sections.TelemetrySettings,  # pydantic takes the fields of the last one first
    sections.WebhookSettings,
    sections.LearningSettings,
    sections.PrivacySettings,
    sections.EvidenceSettings,
    sections.ClockSettings,
    sections.SearchSettings,
    sections.IntakeSettings,
    sections.ServerSettings,
    sections.StorageSettings,
    BaseSettings,
):
    """What an operator can set. Names are upper-cased and prefixed with `CLICKLOOP_`."""

    model_config = SettingsConfigDict(env_prefix="CLICKLOOP_", env_file=".env", extra="ignore")

    def to_environment(self) -> dict[str, str]:
        """Return the settings as environment variables, for a process started with the same ones."""
        values = self.model_dump(mode="json", exclude_none=True)
        return {variable(name): str(value) for name, value in values.items()}


def renamed_settings() -> Iterator[str]:
    """Yield a sentence for each variable of the environment whose name the next release will not read."""
    for name, before in RENAMED.items():
        if variable(before) in os.environ:
            yield f"{variable(before)} is called {variable(name)} now; the next release reads only that name"


def explain_settings(problem: ValidationError) -> list[str]:
    """Return one line for every setting that cannot be: its variable, what it is, and what it may be.

    Secrets are not told.
    """
    return [_explain(fault["loc"], fault["msg"], fault["input"]) for fault in problem.errors()]


def _explain(place: tuple[int | str, ...], message: str, given: object) -> str:
    reason = message.removeprefix("Value error, ").replace("Input should be", "must be")
    if not place:
        return reason
    name = str(place[0])
    field = Settings.model_fields[name.lower()]
    told = f" is {given!r}, but" if field.repr and reason.startswith("must") else ":" if field.repr else ""
    return f"{variable(name)}{told} {reason}"
