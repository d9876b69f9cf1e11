"""An outbox relay dies between publishing and marking; what it publishes again is counted again."""
