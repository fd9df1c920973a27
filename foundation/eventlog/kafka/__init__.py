"""The event log on Kafka, for where one machine is not enough; the one room that knows Kafka's client.

The positions of consumers lie in clickloop's own database and move in the transaction that holds the effect. Kafka's
consumer groups are not used, so nothing is rebalanced. Processes under one consumer name each read the whole topic;
what another process has folded changes nothing.

Kafka may be away, at the start too: appends are refused and reads fail until it is back.
"""
