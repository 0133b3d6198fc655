"""A9, solved."""


def precision_at(recall, specificity, share):
    """TP / (TP + FP), with the counts as shares of everyone."""
    true_alarms, false_alarms = share * recall, (1 - share) * (1 - specificity)
    return true_alarms / (true_alarms + false_alarms)
