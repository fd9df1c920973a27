"""What a webhook says of a decision, and how it is signed (pure).

Headers and signature are those of Standard Webhooks (standardwebhooks.com): libraries of many languages check them.
"""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Iterable

from ab_testing.design.experiment import Decision
from ab_testing.report.scorecard import Scorecard


def compose(card: Scorecard, decision: Decision) -> str:
    """Return the body of the message about a decision."""
    experiment = card.experiment
    return json.dumps(
        {
            "type": "experiment.decided",
            "timestamp": decision.at.isoformat(),
            "data": {
                "collection": experiment.collection,
                "experiment": experiment.id,
                "name": experiment.plan.name,
                "kind": experiment.plan.kind,
                "run": decision.run,
                "decision": decision.id,
                "verdict": decision.verdict,
                "winner": card.verdict.winner,
                "sentence": card.sentence,
                "reason": decision.reason,
                "actor": decision.actor,
                "plan_hash": decision.plan_hash,
                "log_position": decision.change,
            },
        },
        ensure_ascii=False,
    )


def sign(secrets: Iterable[str], message_id: str, timestamp: int, body: str) -> dict[str, str]:
    """Return the headers that name and sign a message.

    Args:
        secrets: Each "whsec_" and base64; one signature for each, so that receivers can change theirs one by one.
        timestamp: Seconds since 1970 at which it is sent.
    """
    signed = f"{message_id}.{timestamp}.{body}".encode()
    digests = [hmac.digest(key_of(secret), signed, "sha256") for secret in secrets]
    signatures = " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in digests)
    return {"webhook-id": message_id, "webhook-timestamp": str(timestamp), "webhook-signature": signatures}


def key_of(secret: str) -> bytes:
    """Return the key that a secret stands for; ValueError where it is no base64."""
    return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
