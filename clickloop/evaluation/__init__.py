"""`clickloop compare`: retrieval systems side by side on a judged collection, and why each fails."""
