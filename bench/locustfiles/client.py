"""Which client a run measures; BENCH_CLIENT=fast chooses FastHttpUser."""

import os

if os.environ.get("BENCH_CLIENT") == "fast":
    from locust import FastHttpUser as BenchUser
else:
    from locust import HttpUser as BenchUser

__all__ = ["BenchUser"]
