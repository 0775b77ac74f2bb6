"""Who calls the service, and where: the settings, the credentials and their sources, the sign-in."""
