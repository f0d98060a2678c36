"""Single runs in the page: what each sent and got, its report, checks and verdicts, with texts kept once."""
