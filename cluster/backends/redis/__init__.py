"""Redis's role: a real Valkey of our own on loopback, or any server that speaks the protocol, by URL."""
