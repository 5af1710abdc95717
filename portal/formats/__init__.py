"""How dates and numbers look, a folder a language, where Django's own formats are not ours (`FORMAT_MODULE_PATH`)."""
