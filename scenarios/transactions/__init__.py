"""Transfers and bookings over several services: what is promised, decided, and made good."""
