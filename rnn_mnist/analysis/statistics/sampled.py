def sampled_factors(runs, factors):
    return []
