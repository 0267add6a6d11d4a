# SAM runs make in this folder if the parameter Architecture is arm64. See build-% in the Makefile.
GOARCH = arm64
