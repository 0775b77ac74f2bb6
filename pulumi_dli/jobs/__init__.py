"""The rules of jobs and waits, without any call: valid inputs, differences, outputs, names and messages."""
