"""MQTT's role: a broker of our own on loopback, or any that speaks MQTT 3.1.1, by URL."""
