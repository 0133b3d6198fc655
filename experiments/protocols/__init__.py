"""Published protocols of linear evaluation, each in a module that reads like its rule."""
