"""The settings by section: each part of clickloop is handed those that it reads, as one frozen record.

A part names its section as the type of what it takes. `foundation.settings.Settings` is all of them in one.
"""

from __future__ import annotations

import re
from base64 import b64decode
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal, Self

from phonenumbers import SUPPORTED_REGIONS
from pydantic import AliasChoices, BaseModel, ConfigDict, Field, field_validator, model_validator

from foundation.texts import Language

ANY_ORIGIN = "*"
ANY_HOST = "*"
MAX_PORT = 65535
MAX_WORKERS = 64
RENAMED = {
    "max_queue_wait_ms": "patience_ms",
    "snapshot_min_changes": "generation_rows",
    "suggest_min_users": "suggest_least_users",
}
"""Settings under their present names, with those that this release still reads."""

_MIN_KEY = 16
_WEEK_DAYS = 7.0
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://([a-z0-9.-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?")  # an app's may be capacitor:
_WEBHOOK = re.compile(r"https?://[^\s/@#?]+([/?][^\s#]*)?")
_PUBLIC_HOST = re.compile(r"([a-z0-9_.-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?")


def variable(name: str) -> str:
    """Return the variable of the environment that sets the setting called `name`."""
    return f"CLICKLOOP_{name.upper()}"


def _renamed(name: str) -> AliasChoices:
    return AliasChoices(name, variable(name), variable(RENAMED[name]))


class Section(BaseModel):
    """Settings that belong together."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)


class StorageSettings(Section):
    """Where things are kept."""

    home: Path = Field(Path(".clickloop"), description="Directory for the database, artifacts and caches.")
    database_url: str = Field("", description="SQLAlchemy URL; SQLite inside `home` when empty.")
    artifacts_url: str = Field("", description="fsspec URL of the artifact store; `home`/artifacts when empty.")
    migrate: Literal["run", "refuse"] = Field(
        "run", description="On an old schema: run the migrations, or refuse to start."
    )
    kafka_bootstrap: str = Field("", description="Kafka servers; the embedded log when empty.")

    def resolved_database_url(self) -> str:
        """Return the database URL, SQLite inside `home` by default."""
        return self.database_url or f"sqlite:///{self.home.resolve() / 'clickloop.db'}"

    def resolved_log_url(self) -> str:
        """Return the URL of the embedded log's own SQLite file, empty where the database serves both."""
        url = self.resolved_database_url()
        return url.removesuffix(".db") + "-log.db" if url.startswith("sqlite") else ""

    def resolved_artifacts_url(self) -> str:
        """Return the artifact store's URL, a directory inside `home` by default."""
        return self.artifacts_url or str(self.home.resolve() / "artifacts")


class ServerSettings(Section):
    """Where the service listens, under which names, and who may ask it."""

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8080, ge=0, le=MAX_PORT, description="Port to listen on; 0 takes a free one.")
    workers: int = Field(1, ge=1, le=MAX_WORKERS, description="Processes that answer; they share the index.")
    allowed_origins: str = Field(
        "", description="Origins of web pages that may search and report from the browser, separated by spaces."
    )
    public_hosts: str = Field(
        "",
        description="Names, with a port where it is not the usual one, under which browsers and programs ask this "
        "service, separated by spaces; those of the loopback interface are always answered.",
    )
    require_keys: bool = Field(False, description="Refuse requests without an API key; probes and the script apart.")

    @field_validator("allowed_origins")
    @classmethod
    def _as_browsers_write_them(cls, text: str) -> str:
        for origin in text.split():
            if origin != ANY_ORIGIN and not _ORIGIN.fullmatch(origin):
                raise ValueError(f"{origin!r} is no origin: write scheme, host and port, as https://help.example, or *")
        return text

    @field_validator("public_hosts")
    @classmethod
    def _without_scheme(cls, text: str) -> str:
        for host in text.lower().split():
            if host != ANY_HOST and not _PUBLIC_HOST.fullmatch(host):
                raise ValueError(
                    f"{host!r} is no host: write a name and its port if it is another, as help.example:8443"
                )
        return text.lower()

    @model_validator(mode="after")
    def _known_by_name_or_key(self) -> Self:
        if ANY_HOST in self.hosts() and not self.require_keys:
            raise ValueError(
                "CLICKLOOP_PUBLIC_HOSTS is *, but without CLICKLOOP_REQUIRE_KEYS the names must be told: any page "
                "could pass for one of this service by a name of its own"
            )
        return self

    def origins(self) -> tuple[str, ...]:
        """Return the allowed origins."""
        return tuple(self.allowed_origins.split())

    def hosts(self) -> tuple[str, ...]:
        """Return the names under which the service is asked, besides those of the loopback interface."""
        return tuple(self.public_hosts.split())


class IntakeSettings(Section):
    """What may be sent, how much of it, and what of it is believed."""

    max_body_bytes: int = Field(8 * 2**20, description="Largest request body accepted.")
    max_batch: int = Field(5000, description="Most documents or events in one request.")
    events_per_second_key: float = Field(0, ge=0, description="Events a second that one key may send; 0: any number.")
    events_per_minute_user: float = Field(0, ge=0, description="Events a minute that one user may send; 0: any number.")
    sign_queries: Literal["off", "mark", "require"] = Field(
        "off", description="Events on answers that were not served here: count, are kept uncounted, or are refused."
    )
    signing_key: str = Field("", description="Secret that query ids are signed with; a file in `home` when empty.")
    ubi_base: int = Field(1, ge=0, le=1, description="Ordinal of a list's first document in UBI events.")
    algolia_strict: bool = Field(False, description="Refuse a whole batch of Insights events for one bad one.")


class SearchSettings(Section):
    """How queries and documents are read, and how long a search may take."""

    model: str = Field("", description="Folder of the encoder; the packaged MiniLM when empty.")
    encoder_precision: Literal["auto", "int8", "fp32"] = Field(
        "int8", description="Precision of the ONNX encoder; auto: the faster one on this machine, measured once."
    )
    late_interaction: bool = Field(False, description="Keep token vectors and rank the best candidates again by them.")
    encoder_threads: int = Field(2, ge=1, description="Batches of documents encoded at the same time.")
    language: Language = Field("english", description="Whose word endings are cut off; none cuts none.")
    synonyms: Path | None = Field(None, description="File of synonyms, one rule a line.")
    typo_tolerance: bool = Field(True, description="Look for words no document has in other spellings.")
    fusion: Literal["convex", "rrf"] = Field("convex", description="Fusion of a collection without a learned version.")
    budget_ms: float = Field(
        500.0, gt=0, description="Milliseconds a search may take; stages that would exceed them are left out."
    )
    max_queue_wait_ms: float = Field(
        300.0,
        gt=0,
        validation_alias=_renamed("max_queue_wait_ms"),
        description="Longest wait for a turn that a search is offered; beyond it, searches are refused.",
    )
    suggest_min_users: int = Field(
        5,
        ge=1,
        validation_alias=_renamed("suggest_min_users"),
        description="People who must have asked a query before it is suggested to others.",
    )
    suggest_documents: bool = Field(True, description="Suggest titles of documents and values of declared fields too.")
    snapshot_min_changes: int = Field(
        5000,
        ge=1,
        validation_alias=_renamed("snapshot_min_changes"),
        description="Changed documents after which a new index snapshot is built; a tenth of all at least.",
    )
    refresh_s: float = Field(0.25, description="Seconds between looks for new documents, evidence and versions.")


class ClockSettings(Section):
    """Time and chance."""

    clock_speed: float = Field(1.0, gt=0, description="Clock seconds per machine second; above 1 to simulate.")
    clock_origin: datetime | None = Field(None, description="When an accelerated clock equals the machine's.")
    seed: int = Field(0, description="Seed of every random choice that is not per request.")

    def lease_duration(self) -> timedelta:
        """Return how long a lease lasts: 30 seconds of the machine, on the clock in use."""
        return timedelta(seconds=30 * self.clock_speed)


class EvidenceSettings(Section):
    """Which feedback counts, how much, and how long it is kept."""

    quarantine: bool = Field(True, description="Hold back the feedback of users who behave like machines.")
    evidence_half_life_days: float = Field(30.0, gt=0, description="Age at which evidence counts half.")
    lists_per_user: int = Field(3, ge=1, description="Result lists of one user for one query that count per week.")
    lateness_days: float = Field(7.0, gt=0, description="Events later than this are kept and counted but not folded.")
    retention_days: float = Field(
        0.0, ge=0, description="Age at which weeks of events and searches are removed; 0 keeps all. Evidence stays."
    )

    @model_validator(mode="after")
    def _keeps_what_may_still_count(self) -> Self:
        if self.retention_days and self.retention_days < self.lateness_days + _WEEK_DAYS:
            raise ValueError(
                f"CLICKLOOP_RETENTION_DAYS is {self.retention_days:g}, but must be 0 or at least "
                f"CLICKLOOP_LATENESS_DAYS and a week, {self.lateness_days + _WEEK_DAYS:g}: events may come that late"
            )
        return self


class PrivacySettings(Section):
    """What is kept of people."""

    user_key: str = Field(
        "", repr=False, description="Secret under which user ids are hashed; a file in `home` when empty."
    )
    mask_personal: bool = Field(True, description="Mask e-mail addresses, cards and phone numbers in kept queries.")
    phone_countries: str = Field(
        "US GB DE FR ES IT NL BE CH AT PL SE PT IE AU NZ IN BR MX JP ZA",
        description="ISO codes of the countries whose phone numbers are known without country code too.",
    )

    @field_validator("user_key")
    @classmethod
    def _hard_to_guess(cls, key: str) -> str:
        if key and len(key) < _MIN_KEY:
            raise ValueError(f"must have at least {_MIN_KEY} characters, as `openssl rand -hex 32` gives")
        return key

    @field_validator("phone_countries")
    @classmethod
    def _known(cls, codes: str) -> str:
        if unknown := [code for code in codes.split() if code not in SUPPORTED_REGIONS]:
            raise ValueError(f"{unknown[0]!r} is no country with phone numbers: write ISO codes, as US GB DE")
        return codes


class LearningSettings(Section):
    """When a collection learns, and how long its experiments last."""

    schedule_hours: float = Field(24.0, gt=0, description="Hours between scheduled training runs, by the clock.")
    schedule_cron: str = Field(
        "",
        description="When training runs are scheduled, as cron writes it: five fields, UTC, such as `30 3 * * *`. The "
        "hours then only say how many experiments a year to expect.",
    )
    schedule_clicks: int = Field(
        0, ge=0, description="So many new clicks make a scheduled training run due before its time; 0: time alone does."
    )
    encoder_schedule_hours: float = Field(
        0.0, ge=0, description="Hours between scheduled fine-tunings of the encoder, by the clock; 0: only when asked."
    )
    encoder_minutes: float = Field(20.0, gt=0, description="Most minutes that a fine-tuning of the encoder trains.")
    encoder_documents: int = Field(
        100_000, ge=1, description="Most documents of a collection whose encoder is fine-tuned: all are embedded again."
    )
    encoder_negatives: Literal["mined", "batch"] = Field(
        "mined",
        description="What a fine-tuning contrasts answers with: hard negatives and those of the batch, or the latter.",
    )
    student_layers: int = Field(3, ge=1, description="Layers of a student, a smaller encoder; the encoder's at most.")
    student_dimension: int = Field(
        384, ge=8, description="Dimension of a student's vectors; that of the encoder at most."
    )
    teacher: str = Field("", description="Folder that a student's teacher starts from; the encoder's if empty.")
    autopilot: bool = Field(False, description="Train, gate, experiment and promote without being asked.")
    proof: Literal["full", "interleaving"] = Field(
        "full",
        description="What a candidate must pass. full: interleaving, an A/B test with guardrails and a ramp, and a "
        "holdback. interleaving: that alone.",
    )
    experiment_days: float = Field(28.0, gt=0, description="Longest automatic experiment, in days of the clock.")
    experiment_searches: int = Field(
        0, ge=0, description="Planned searches of an automatic experiment; 0: as many as the expected gain takes."
    )
    experiment_coverage: float = Field(
        0.5, gt=0, le=1, description="Share of the users who see interleaved lists of an automatic experiment."
    )
    holdback_days: float = Field(14.0, ge=0, description="Days of the holdback after a promotion; 0: none.")
    holdback_share: float = Field(
        0.05, gt=0, le=0.5, description="Share of the users who keep the version before in a holdback."
    )
    false_promotions_a_year: float = Field(
        1.0,
        gt=0,
        description="Promotions a year that may be false, were no candidate ever better; sets the alpha of automatic "
        "experiments.",
    )


class WebhookSettings(Section):
    """Which services hear of every decision."""

    webhook_urls: str = Field(
        "", repr=False, description="URLs that hear of every decision, separated by spaces; none without."
    )
    webhook_secret: str = Field(
        "",
        repr=False,
        description="Secrets that sign messages, separated by spaces: whsec_ and the base64 of 24 to 64 bytes.",
    )
    webhook_private: bool = Field(False, description="Send to private, loopback and link-local addresses too.")

    @model_validator(mode="after")
    def _signed_and_addressed(self) -> Self:
        for url in self.webhooks():
            if not _WEBHOOK.fullmatch(url):
                raise ValueError("CLICKLOOP_WEBHOOK_URLS must hold URLs of http or https without a user and fragment")
        for secret in self.webhook_secrets():
            if not _is_webhook_secret(secret):
                raise ValueError(
                    "CLICKLOOP_WEBHOOK_SECRET must be whsec_ and the base64 of 24 to 64 bytes, as "
                    "`echo whsec_$(openssl rand -base64 32)` gives"
                )
        if self.webhooks() and not self.webhook_secrets():
            raise ValueError("CLICKLOOP_WEBHOOK_URLS needs CLICKLOOP_WEBHOOK_SECRET: receivers must know who sends")
        return self

    def webhooks(self) -> tuple[str, ...]:
        """Return the receivers."""
        return tuple(dict.fromkeys(self.webhook_urls.split()))

    def webhook_secrets(self) -> tuple[str, ...]:
        """Return the secrets, each of which signs every message."""
        return tuple(self.webhook_secret.split())


def _is_webhook_secret(secret: str) -> bool:
    try:
        return secret.startswith("whsec_") and 24 <= len(b64decode(secret[6:], validate=True)) <= 64
    except ValueError:
        return False


class TelemetrySettings(Section):
    """Which other services hear of requests and candidates, and what the log holds."""

    mlflow_url: str = Field("", description="MLflow tracking URI that hears of every candidate; needs the extra.")
    wandb_project: str = Field("", description="W&B project that hears of every candidate; needs the extra.")
    wandb_mode: Literal["offline", "online"] = Field(
        "offline",
        description="Whether W&B's runs stay in `home`/wandb, to be sent by `wandb sync`, or are sent at once.",
    )
    otlp_url: str = Field("", description="OpenTelemetry endpoint that gets a trace a request; needs the extra.")
    log_queries: bool = Field(False, description="Let log lines of searches, at level debug, hold what was asked.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least severe log line kept.")
