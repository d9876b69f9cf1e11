"""The process that owns a lab: zygote, leases, collector, journal and seats."""
