"""What an engine asks for, whatever adapter drives it: check, plan, create, read, update, delete, wait."""
