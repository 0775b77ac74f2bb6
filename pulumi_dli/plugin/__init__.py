"""The native provider, for programs in any language: the engine starts it as `pulumi-resource-dli`."""
