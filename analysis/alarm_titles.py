"""Headings of the alarms, by code."""

ALARM_TITLES = {
    "unequal_treatment": "Frameworks were not treated alike",
    "pseudo_replication": "Copies counted as runs",
    "judge_constant": "The judge gives one score",
    "judge_saturation": "The judge's scale is used up",
    "judge_noise": "The judge disagrees with itself",
    "judge_is_subject": "The judge is the model under test",
    "missing_scores": "Runs without a score",
    "scores_out_of_range": "Scores outside the scale",
    "overall_is_not_mean": "Overall scores are not the means",
    "decode_rate_drift": "The model's speed changed",
    "same_text_latency": "Same text, other latency",
    "meter_mismatch": "A framework miscounts its tokens",
    "order_confounded": "Order mixed up with framework",
    "runs_not_completed": "Runs that did not complete",
    "unbalanced": "Unequal numbers of runs",
    "limits_hit": "Answers cut short",
    "duplicate_rows": "Repeated rows",
    "unreadable_values": "Cells that are no numbers",
}
