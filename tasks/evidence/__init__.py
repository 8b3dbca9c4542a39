"""Floor 3: what an image really is, platform by platform, as values: configuration, layers, merged files.

Read from a registry or from the engine, judged by nobody here: what is right or wrong is said in checks/.
"""
