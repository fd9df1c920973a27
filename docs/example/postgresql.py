"""A search over a PostgreSQL table that keeps PostgreSQL's own search, and learns from its clicks by clickloop.

python postgresql.py "postgresql://localhost/shop" http://127.0.0.1:8080 "laser toner" u-17
"""

import sys

import psycopg

from clickloop.client import Client, RequestRefused, Undelivered

CANDIDATES = 100
FIND = """
    SELECT id, title, ts_rank_cd(search, query) AS score
    FROM products, websearch_to_tsquery('english', %(text)s) AS query
    WHERE search @@ query
    ORDER BY score DESC, id
    LIMIT %(limit)s
"""
SET_UP = """
    CREATE TABLE IF NOT EXISTS products (
        id bigint PRIMARY KEY,
        title text NOT NULL,
        body text NOT NULL DEFAULT '',
        search tsvector GENERATED ALWAYS AS (
            setweight(to_tsvector('english', title), 'A') || setweight(to_tsvector('english', body), 'B')
        ) STORED
    );
    CREATE INDEX IF NOT EXISTS products_search ON products USING gin (search);
"""


def find(connection: psycopg.Connection, text: str) -> list[dict[str, object]]:
    """Return what PostgreSQL finds, its best first."""
    rows = connection.execute(FIND, {"text": text, "limit": CANDIDATES}).fetchall()
    return [{"id": str(id_), "title": title, "score": score} for id_, title, score in rows]


def search(connection: psycopg.Connection, loop: Client, text: str, user: str) -> tuple[str, list[str]]:
    """Return the query id and the ids of products in the order to show; PostgreSQL's where clickloop is away."""
    candidates = find(connection, text)
    if not candidates:
        return "", []
    try:
        answer = loop.rank(text, candidates, user=user)
    except (RequestRefused, Undelivered):
        return "", [str(one["id"]) for one in candidates]
    return answer.query_id, [hit.id for hit in answer.hits]


def main() -> None:
    """Show what a person gets, and report a click on what they choose."""
    database, service, text, user = sys.argv[1:]
    with psycopg.connect(database) as connection, Client(service, timeout_s=0.5) as loop:
        connection.execute(SET_UP)
        query_id, ids = search(connection, loop, text, user)
        print("\n".join(ids) or "nothing found")
        chosen = input("clicked: ") if ids else ""
        if query_id and chosen in ids:
            loop.click(query_id, chosen, user=user)


if __name__ == "__main__":
    main()
