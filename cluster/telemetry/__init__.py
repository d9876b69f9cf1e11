"""What happened (events), what it adds up to (view), and how the one becomes the other (fold)."""
