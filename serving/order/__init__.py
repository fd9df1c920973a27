"""Orders the candidates of another engine: its order stands until evidence says otherwise."""
