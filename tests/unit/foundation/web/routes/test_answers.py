from __future__ import annotations

from fastapi import FastAPI, Response
from fastapi.testclient import TestClient
from pydantic import BaseModel, Field

from foundation.web.routes.answers import write_answer


class Told(BaseModel):
    name: str
    score: float = Field(serialization_alias="points")
    missing: str | None = None


def test_an_answer_reads_as_if_fastapi_had_written_it() -> None:
    app = FastAPI()

    @app.get("/written", response_model=Told)
    def written() -> Response:
        return write_answer(Told(name="Łódź ✓", score=0.1))

    @app.get("/returned")
    def returned() -> Told:
        return Told(name="Łódź ✓", score=0.1)

    with TestClient(app) as client:
        ours, theirs = client.get("/written"), client.get("/returned")
        schema = client.get("/openapi.json").json()["paths"]
    assert ours.content == theirs.content
    assert ours.headers["content-type"] == theirs.headers["content-type"]
    assert (
        schema["/written"]["get"]["responses"]["200"]["content"]
        == (schema["/returned"]["get"]["responses"]["200"]["content"])
    )
