"""Pictures of the dashboard, made from recorded runs of real clusters (`faultline screenshots`)."""
