"""Settings, credentials and sign-in: which account calls the service, and at which address."""
