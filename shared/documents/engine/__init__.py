"""Reads documents, indexes and searches them; runs in the environment `documents`.

Nothing is sent or fetched: seen with strace, and kept so by a test. Set here because each of the libraries
reads its variable when it is imported. Of onnxruntime the variable counts: 1.32 looks its makers' address up
in spite of `disable_telemetry_events()`.
"""

import os

os.environ |= {
    "ANONYMIZED_TELEMETRY": "False",
    "HF_HUB_OFFLINE": "1",
    "ORT_DISABLE_TELEMETRY": "1",
    "OTEL_SDK_DISABLED": "true",
}
