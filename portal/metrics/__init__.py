"""/metrics: how the installation is, as Prometheus reads it (docs/operating.md, "Monitoring")."""
