"""etcd's role: one small interface (`port`), served by our own Raft group (`embedded`, `raft`) or by etcd itself (`foreign`)."""
