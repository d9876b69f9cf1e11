"""Scuttlebutt anti-entropy gossip (van Renesse et al. 2008), in the form Cassandra and chitchat gave it."""
