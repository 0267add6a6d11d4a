# SAM runs make in this folder when the template says Architecture: arm64. See build-% in the Makefile.
GOARCH = arm64
