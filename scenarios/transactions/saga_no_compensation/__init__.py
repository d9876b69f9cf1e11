"""A journey in which the hotel says no, and nobody gives the flight back."""
