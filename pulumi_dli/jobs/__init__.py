"""The rules about a job, without a call: what may be declared, what a difference means, what the state stores."""
