"""A finished attempt as one OpenTelemetry trace, made of its record and calls with the times measured there.

`sink.SpanSink` is what the driver uses. Nothing is traced while a run is under way.
"""
