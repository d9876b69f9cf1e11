"""A worker dies with five holds in its hands, and nobody is left to give them back."""
