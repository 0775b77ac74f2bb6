"""DLI over HTTP: what is sent, what is answered, and what an answer means. It knows nothing of Pulumi or of a stack."""
