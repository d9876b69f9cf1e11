"""A crawler's Bloom filter outgrows its size, and new pages are taken for old ones."""
