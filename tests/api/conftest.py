from tests.fixtures import clock, no_proxy, service

__all__ = ["clock", "no_proxy", "service"]
