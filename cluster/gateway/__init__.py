"""The gateway: one process in front of each model server, where a run's traffic is admitted and measured.

`process.GatewayProcess` is what the rest of the product uses. Nothing in here knows of Ray.
"""
