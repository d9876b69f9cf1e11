"""Raft: leader election and log replication (Ongaro & Ousterhout 2014; Ongaro's dissertation 2014)."""
