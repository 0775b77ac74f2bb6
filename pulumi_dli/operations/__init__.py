"""The operations that an engine calls through any adapter: check, plan, create, read, update, delete, wait."""
