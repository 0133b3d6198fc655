"""Every line broken once: does a test see it?"""
