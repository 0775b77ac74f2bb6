"""DLI over HTTP: requests, replies, retries and the meaning of errors. Nothing here knows Pulumi or a stack."""
