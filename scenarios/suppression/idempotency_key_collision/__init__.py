"""One key for everything that a user does: the second intention is answered with the first one's receipt."""
